"""The scatter of single clusters' coefficients, along what says how much they differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import figure_of

ALTERNATE = np.tile([-1.0, 1.0], 6)
"""Of 12 clusters."""


def table(**levels: tuple[float, ...]) -> pd.DataFrame:
    """Intercepts and slopes of 12 clusters in each cell, with the deviations ±icc and ±slope_sd."""
    cells = pd.MultiIndex.from_product([*levels.values()], names=[*levels]).to_frame(index=False)
    parts = [
        pd.DataFrame({**cell, "clusters": 12, "sim": 0, "term": term, "coefficient": deviation})
        for cell in cells.to_dict("records")
        for term, deviation in (
            ("(Intercept)", cell.get("icc", 0.0) * ALTERNATE),
            ("IV1", cell.get("slope_sd", 0.0) * ALTERNATE),
        )
    ]
    return pd.concat(parts, ignore_index=True).assign(true_value=0.0)


@pytest.mark.parametrize(
    ("levels", "labels", "ticks", "title"),
    [
        (
            {"icc": (0.1, 0.3), "slope_sd": (0.0, 0.5)},
            ["ICC", "slope SD"],
            [["0.1", "0.3"], ["0", "0.5"]],
            "Slopes of single clusters scatter with an SD of 0 at slope SD 0 and of 0.51 at "
            "slope SD 0.5",
        ),
        (
            {"icc": (0.1, 0.3)},
            ["ICC", "clusters"],
            [["0.1", "0.3"], ["12"]],
            "Slopes of single clusters scatter with an SD of 0",
        ),
    ],
)
def test_each_coefficient_is_along_what_says_how_much_it_differs(
    levels: dict[str, tuple[float, ...]], labels: list[str], ticks: list[list[str]], title: str
) -> None:
    # Of 24 slopes of ±0.5: 0.5 sqrt(24 / 23) = 0.51.
    factors = ["clusters", *levels]
    figure = figure_of("cluster_coefficients", table(**levels), factors=factors)
    assert [axes.get_xlabel() for axes in figure.axes] == labels
    assert [[t.get_text() for t in axes.get_xticklabels()] for axes in figure.axes] == ticks
    assert words_on(figure).title == title

"""How far two fits are apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustrategy.audit.distance import Numbers, distance, distances


def numbers(estimate: float, std_error: float, df: float = 10.0, p_value: float = 0.5) -> Numbers:
    return Numbers(*(np.array([[value]]) for value in (estimate, std_error, df, p_value)))


@pytest.mark.parametrize(
    ("found", "reference", "apart"),
    [
        ((2.0, 0.5), (2.1, 0.55), (0.05, 0.1, 0.0, 0.0)),
        ((0.1, 0.5), (0.2, 0.5), (0.2, 0.0, 0.0, 0.0)),
        ((0.0, 0.5, 10, 0.25), (0.0, 0.5, 12, 0.5), (0.0, 0.0, 0.2, 0.25)),
        ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0, 0.0, 0.0)),
        ((1.0, 0.5, np.inf), (1.0, 0.5, np.inf), (0.0, 0.0, 0.0, 0.0)),
        ((1.0, 0.5, np.inf), (1.0, 0.5, 50), (0.0, 0.0, 1.0, 0.0)),
        ((1.0, 0.5, 50), (1.0, 0.5, np.inf), (0.0, 0.0, np.inf, 0.0)),
        ((2.0, np.nan), (2.1, 0.5), (0.05, np.nan, 0.0, 0.0)),
        ((2.0, 0.5, np.nan), (2.0, 0.5, 10), (0.0, 0.0, np.nan, 0.0)),
        ((np.nan,) * 4, (np.nan,) * 4, (np.nan,) * 4),
    ],
)
def test_each_number_has_its_unit(
    found: tuple[float, ...], reference: tuple[float, ...], apart: tuple[float, ...]
) -> None:
    away = distance(numbers(*found), numbers(*reference))
    assert [one.shape for one in away] == [(1, 1)] * 4
    np.testing.assert_allclose([one[0, 0] for one in away], apart, rtol=1e-12)


def test_the_rows_of_the_audit_have_the_same_distances() -> None:
    row = {"estimate": 2.0, "std_error": 0.5, "df": np.inf, "p_value": 0.25}
    row |= {f"reference_{name}": value for name, value in row.items()}
    row |= {"reference_estimate": 2.1, "reference_p_value": 0.5}
    row |= {"reml_criterion": 10.0, "reference_reml_criterion": 10.5, "best_reml_criterion": 9.75}
    away = distances(pd.DataFrame([row], index=[7]))
    assert away.index.tolist() == [7]
    assert away.loc[7].to_dict() == pytest.approx(
        {
            "estimate": 0.05,
            "std_error": 0.0,
            "df": 0.0,
            "p_value": 0.25,
            "criterion": 0.25,
            "reference_criterion": 0.75,
        }
    )

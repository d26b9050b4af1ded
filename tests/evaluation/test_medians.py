"""The medians of a study and their Monte Carlo errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from clustrategy.evaluation import medians
from clustrategy.evaluation.medians import METRICS, as_text, stratified_median, stratified_share


@pytest.mark.parametrize("cells", [[(0, 1), (1, 0.5), (5, 2)], [(0, 1), (3, 1)]])
def test_the_median_and_its_monte_carlo_error(
    cells: list[tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over many studies of cells that overlap more or less the medians spread as the error says."""
    # The mean of the squared errors does not depend on the number of bootstraps.
    monkeypatch.setattr(medians, "BOOTSTRAPS", 80)
    rng = np.random.default_rng(5)
    studies = [
        stratified_median([rng.normal(*cell, size=60) for cell in cells]) for _ in range(300)
    ]
    values = np.array([study.value for study in studies])
    errors = np.array([study.mcse for study in studies])
    spread = values.std(ddof=1)
    assert np.sqrt((errors**2).mean()) == pytest.approx(spread, rel=0.2)


def test_the_median_of_cells_of_one_sim_has_no_error() -> None:
    median = stratified_median([np.array([1.0, 2.0, 3.0]), np.array([10.0])])
    assert median.value == 2.5
    assert np.isnan(median.mcse)


def test_the_share_and_its_monte_carlo_error() -> None:
    sure, mixed = np.ones(50, dtype=bool), np.arange(50) < 20
    share = stratified_share([sure, mixed])
    assert share.value == pytest.approx(0.7)
    assert share.mcse == pytest.approx(np.sqrt(0.4 * 0.6 / 49) / 2)


def test_two_sims_have_an_error_and_one_has_none() -> None:
    """Of two values the bootstrap's median is either, or their mean half of the time."""
    assert stratified_median([np.array([0.0, 1.0])]).mcse == pytest.approx(8**-0.5, rel=0.1)
    assert stratified_share([np.array([True, False])]).mcse == pytest.approx(0.5)
    assert np.isnan(stratified_share([np.array([True]), np.array([True, False])]).mcse)


@pytest.mark.parametrize(
    ("value", "mcse", "text"),
    [
        (1.23456, 0.0123, "1.235 (0.012)"),
        (1.23456, 0.5, "1.23 (0.50)"),
        (123.456, 1.0, "123.5 (1.0)"),
        (123.456, 12.3, "123 (12)"),
        (1234.56, 123.4, "1235 (123)"),
        (1.23456, 0.0, "1.23"),
        (1.23456, None, "1.23"),
        (1.23456, np.nan, "1.23"),
        (None, None, "none"),
        (np.inf, 0.5, "none"),
    ],
)
def test_numbers_have_two_digits_of_their_error(value: Any, mcse: Any, text: str) -> None:
    row: dict[str, Any] = {"strategy": "A", "fits": 12345}
    for metric in METRICS:
        row |= {f"median_{metric}": value, f"median_{metric}_mcse": mcse}
    row |= {"singular_rate": 0.125, "singular_rate_mcse": 0.0123}
    row |= {"unusable_rate": 0.25, "unusable_rate_mcse": None}
    head, rule, line = as_text(pa.Table.from_pylist([row])).splitlines()
    cells = ["A", text, text, text, "12,345", "12.5 % (1.2)", "25.0 %"]
    places = [len(cell) for cell in rule.split("  ")]
    assert [*map(len, cells)] <= places and head.startswith("strategy")
    starts = np.cumsum([0, *(place + 2 for place in places)])[:-1]
    assert [line[a : a + w].rstrip() for a, w in zip(starts, places, strict=True)] == cells

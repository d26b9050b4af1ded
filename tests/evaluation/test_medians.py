"""The medians of a study and their Monte Carlo errors."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.evaluation import medians
from clustrategy.evaluation.medians import stratified_median, stratified_share


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

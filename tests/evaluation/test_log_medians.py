"""Medians with their joint Monte Carlo error."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.evaluation.log_medians import LEAST, deviations, log_medians


@pytest.mark.parametrize("sims", [12, 51])
def test_medians_of_many_studies_spread_as_their_errors_say(sims: int) -> None:
    """The cells are as many studies; the variables are correlated, one misses some datasets."""
    rng = np.random.default_rng(2)
    shared = rng.standard_normal((800, sims))
    values = np.exp(
        np.stack([shared, shared + 0.3 * rng.standard_normal((800, sims)), 2.0 * shared])
    )
    values[2, :, ::5] = np.nan
    found = log_medians(values)
    spread = found.value.std(axis=1)
    errors = np.sqrt((found.std_error**2).mean(axis=1))
    assert errors == pytest.approx(spread, rel=0.12)

    away = deviations(found.influence[:, :40], found.std_error[:, :40])
    assert away.std(axis=0) == pytest.approx(found.std_error[:, :40], rel=0.08)
    drawn = np.mean([np.corrcoef(away[:, :, cell], rowvar=False) for cell in range(40)], axis=0)
    assert drawn == pytest.approx(np.corrcoef(found.value), abs=0.08)
    between = np.corrcoef(away[:, 0, 0], away[:, 0, 1])[0, 1]
    assert abs(between) < 0.1


def test_medians_are_those_of_the_values_that_are_there() -> None:
    values = np.full((2, 1, 9), np.nan)
    values[0, 0, :7] = [3, 1, 7, 2, 9, 4, 8]
    values[1, 0, 2:8] = [2, 8, 1, 1, 32, 16]
    found = log_medians(values)
    assert np.exp(found.value[:, 0]) == pytest.approx([4, 4])  # sqrt(2 * 8) on the log scale
    assert (found.std_error > 0).all()


def test_few_values_have_no_error() -> None:
    values = np.full((3, 1, LEAST), np.nan)
    values[0] = np.arange(1, LEAST + 1)
    values[1, 0, 1:] = 1.0
    found = log_medians(values)
    assert np.isfinite(found.std_error[:, 0]).tolist() == [True, False, False]
    assert np.isfinite(found.value[:, 0]).tolist() == [True, True, False]


def test_no_median_of_zeros() -> None:
    assert np.isnan(log_medians(np.zeros((1, 1, 9))).value)

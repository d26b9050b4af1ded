"""Minimal detectable effects against closed forms, by interpolation, and in the worst cell."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from clustrategy.evaluation.detectable import (
    SCHEMA,
    Least,
    Units,
    detectable_effect,
    least_effects,
    over_cells,
    rows_of,
    table_of,
    within_reason,
)
from clustrategy.evaluation.power_curves import Simulated
from clustrategy.evaluation.promises import Found, Sample
from tests.evaluation.test_power_curves import sample_of_z, with_own
from tests.evaluation.test_promises import blank, drawn

QUANTILES = norm.ppf((np.arange(4001) + 0.5) / 4001)
OF_T = 3.149632886
"""R 4.2: the ncp at which 1 - pt(qt(.975, 9), 9, ncp) + pt(qt(.025, 9), 9, ncp) is .8."""
OF_Z = 1.959964 + 0.841621


@pytest.mark.parametrize("size_adjusted", [False, True])
def test_of_t_tests_it_is_the_root_of_the_noncentral_power(size_adjusted: bool) -> None:
    found = detectable_effect(drawn(3, sims=8000), (), 0.05, 0.95, size_adjusted=size_adjusted)
    assert found.value == pytest.approx(OF_T, abs=4 * found.mcse)
    assert found.mcse < 0.05 and found.low < OF_T < found.high


def test_a_liberal_test_detects_no_less_once_it_has_its_level() -> None:
    sample = sample_of_z(QUANTILES, 0.5)
    plain, adjusted = (
        detectable_effect(sample, (), 0.05, 0.95, size_adjusted=each) for each in (False, True)
    )
    far = 0.979982
    root = brentq(lambda d: norm.sf(far - d) + norm.cdf(-far - d) - 0.8, 1, 3)
    assert plain.value == pytest.approx(root, abs=2e-3)
    assert adjusted.value == pytest.approx(OF_Z, abs=5e-3)


def test_the_error_of_the_adjusted_one_is_the_spread_over_samples() -> None:
    found = [
        detectable_effect(drawn(seed, 400, ratio=0.8), (), 0.05, 0.95, size_adjusted=True)
        for seed in range(120)
    ]
    values = np.array([one.value for one in found])
    mcse = np.sqrt(np.mean([one.mcse**2 for one in found]))
    assert mcse == pytest.approx(values.std(ddof=1), rel=0.2)
    assert 0.88 < np.mean([one.low <= OF_T <= one.high for one in found]) < 0.995


def test_it_is_that_of_the_mean_over_both_signs() -> None:
    """Errors of which half are 1, so that an effect of -3 is found half as often as one of 3."""
    sample = sample_of_z(np.r_[np.ones(50), np.zeros(50)])
    found = detectable_effect(sample, (), 0.05, 0.95)
    # Found from 0.96, 1.96, 1.96 and 2.96 on: 80 % of tests reject from the last of these on.
    assert found.value == pytest.approx(2.959964)


def test_interpolation_is_exact_where_power_is_a_normal_probability() -> None:
    sample = with_own(sample_of_z(QUANTILES), (1.0, 4.0, 2.0))
    found = detectable_effect(sample, (1.0, 4.0, 2.0), 0.05, 0.95)
    assert found.value == pytest.approx(OF_Z, abs=2e-3)
    assert found.note == "between the listed effects 2 and 4"
    (alone,) = (detectable_effect(with_own(sample_of_z(QUANTILES), (4.0,)), (4.0,), 0.05, 0.95),)
    assert alone.value == pytest.approx(OF_Z, abs=2e-3) and "0 and 4" in alone.note


@pytest.mark.parametrize("size_adjusted", [False, True])
def test_its_error_after_interpolation_is_the_spread_over_samples(size_adjusted: bool) -> None:
    effects = (2.0, 3.0, 4.0)
    found = [
        detectable_effect(
            with_own(drawn(seed, 400, ratio=0.9), effects),
            effects,
            0.05,
            0.95,
            size_adjusted=size_adjusted,
        )
        for seed in range(150)
    ]
    values = np.array([one.value for one in found])
    assert np.sqrt(np.mean([one.mcse**2 for one in found])) == pytest.approx(
        values.std(ddof=1), rel=0.2
    )
    covered = [one.low <= values.mean() <= one.high for one in found]
    assert 0.88 < np.mean(covered) < 0.995


def test_why_there_is_none() -> None:
    def said(errors: np.ndarray, effects: tuple[float, ...], scale: float = 1.0) -> str:
        sample = with_own(sample_of_z(errors, scale), effects)
        found = detectable_effect(sample, effects, 0.05, 0.95)
        assert np.isnan(found.value) and found.n == len(errors)
        return found.note

    assert said(QUANTILES, (1.0, 2.0)) == (
        "power does not reach 80 % at the listed effects, which go up to 2"
    )
    assert said(QUANTILES, (1.0,), 0.1) == "power is 80 % without any effect"
    assert said(QUANTILES, (1.0, 9.0)) == (
        "power passes 80 % between the listed effects 1 and 9 and is 100 % at the latter"
    )
    nothing = blank(3)
    lost = Sample(*(nothing.error,) * 5, np.full((2, 1, 3), np.nan))
    assert detectable_effect(lost, (1.0,), 0.05, 0.95).note == "no usable fit"
    assert detectable_effect(nothing, (1.0,), 0.05, 0.95).note == "no usable fit"
    (plain, _) = least_effects(
        [Simulated("a", "dose", ("dose",), sample_of_z(QUANTILES), (1.0,), False, True)], 0.05, 0.95
    )
    assert "not known to be equivariant" in plain.found.note


def test_effects_are_standardised_by_what_a_predictor_is_like() -> None:
    found = Found(2.0, 0.1, 1.8, 2.2, 100)
    kinds = ("arm", "age")
    least = [Least("a", kind, (kind,), False, found, True) for kind in kinds]
    arm, age = rows_of(least, Units(5.0, {"age": 4.0}))
    assert (arm["standardised"], arm["standardised_by"]) == (0.4, "SD of the response")
    assert age["standardised"] == 1.6
    assert age["standardised_by"] == "SD of the response per SD of the predictor"
    assert [row["standardised_by"] for row in rows_of(least, Units())] == [None, None]


def least(value: float, note: str = "", safe: bool = True) -> list[Least]:
    return [Least("a", "arm", ("arm",), False, Found(value, 0.1, 0, 9, 50, note=note), safe)]


CELLS = [{"scenario": name} for name in ("estimated", "upper_95", "resampled")]


def test_the_worst_cell_is_the_one_in_which_the_most_has_to_be_there() -> None:
    by_cell = [least(1.0), least(3.0), least(2.0)]
    (row,) = over_cells(CELLS, by_cell, {("a", "arm"): False}, Units(2.0))
    assert (row["effect"], row["standardised"], row["scope"]) == (3.0, 1.5, "all")
    assert row["worst_cell"] == "scenario upper_95" and row["safe"] is False
    assert (row["cells"], row["power"]) == (3, 0.8)
    assert table_of([row]).schema == SCHEMA


def test_a_cell_without_one_is_worse_than_any_number() -> None:
    by_cell = [least(1.0), least(3.0), least(np.nan, "power does not reach 80 %")]
    (row,) = over_cells(CELLS, by_cell, {}, Units(2.0))
    assert row["effect"] is None and row["standardised"] is None
    assert (row["worst_cell"], row["note"]) == ("scenario resampled", "power does not reach 80 %")
    (alone,) = over_cells(CELLS[:1], by_cell[:1], {}, Units())
    assert alone["worst_cell"] is None and alone["effect"] == 1.0


def test_an_effect_that_dwarfs_the_response_is_none():
    units = Units(sd_of_response=2.0, sd_of_term={"age": 10.0})
    of = [("age", 19.9), ("age", 20.1), ("treat", 199.0), ("treat", 201.0)]
    least = [Least("A", kind, (kind,), False, Found(value=size, n=7), True) for kind, size in of]
    found = within_reason(least, units)
    values = [one.found.value for one in found]
    assert np.isnan(values).tolist() == [False, True, False, True]
    assert found[1].found.note == "none below 100 standard deviations of the response"
    assert found[1].found.n == 7
    assert within_reason(least, Units()) == least

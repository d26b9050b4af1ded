"""Curves of power against closed forms, and what must hold of them in any sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nct, norm
from scipy.stats import t as student

from clustrategy.core.shard import Floats
from clustrategy.dgp.kinds import INTERCEPT_KIND
from clustrategy.evaluation import promises
from clustrategy.evaluation.power_curves import SCHEMA, Simulated, curve, curves, fine, simulated
from clustrategy.evaluation.promises import Sample
from tests.evaluation.test_promises import blank, drawn

LISTED = (1.0, 2.0, 2.8, 4.0)
NUMBERS = st.floats(-5, 5)


def sample_of_z(error: Floats, std_error: float = 1.0) -> Sample:
    """Errors of one term with z tests."""
    errors = np.asarray(error, dtype=float)[None]
    endless, limits = np.full_like(errors, np.inf), (errors - 2, errors + 2)
    return Sample(errors, np.full_like(errors, std_error), endless, *limits)


def with_own(sample: Sample, effects: tuple[float, ...]) -> Sample:
    """The same tests as if they resampled: p-values at the truth and less each effect."""
    z = (sample.error + np.array([0.0, *effects])[:, None, None]) / sample.std_error
    own = 2 * student.sf(np.abs(z), sample.df)
    return Sample(sample.error, sample.std_error, sample.df, sample.low, sample.high, own)


def test_the_curve_of_t_tests_is_the_noncentral_one() -> None:
    points = curve(drawn(3, sims=4000), LISTED, 0.05, 0.95)
    effects = np.array([point.effect for point in points])
    far = student.isf(0.025, 9)
    expected = nct.sf(far, 9, effects) + nct.cdf(-far, 9, effects)
    for name in ("power", "adjusted"):
        found = [getattr(point, name) for point in points]
        values, errors = (
            np.array([getattr(one, field) for one in found]) for field in ("value", "mcse")
        )
        assert (np.abs(values - expected) <= 4 * errors + 1e-3).all()
        assert (np.diff(values) >= 0).all()
    covered = [one.low <= truth <= one.high for one, truth in zip(found, expected, strict=True)]
    assert np.mean(covered) > 0.8


def test_the_curve_of_a_liberal_z_test_and_at_its_own_critical_value() -> None:
    """Of errors that are normal quantiles, with standard errors that are half of what they are."""
    sample = sample_of_z(norm.ppf((np.arange(4001) + 0.5) / 4001), 0.5)
    for point in curve(sample, LISTED, 0.05, 0.95):
        effect = point.effect
        for found, critical in ((point.power, 0.97998), (point.adjusted, 1.95996)):
            expected = norm.sf(critical - effect) + norm.cdf(-critical - effect)
            assert found.value == pytest.approx(expected, abs=1e-3)


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=6))
def test_effects_of_a_curve_are_even_from_0_on_and_hold_the_listed_ones(effects):
    found = fine(effects)
    assert found[0] == 0 and set(effects) <= set(found) and found == sorted(found)
    assert 2 * max(effects) * (1 - 1e-9) <= found[-1] <= 2.2 * max(effects)
    even = [effect for effect in found if effect not in effects]
    assert 20 <= len(even) + len(effects) and len(even) <= 61
    steps = np.array(even) / min(np.diff([*even]).min(), even[1])
    assert steps == pytest.approx(np.round(steps), abs=1e-6)


@given(st.lists(NUMBERS, min_size=2, max_size=20))
def test_the_signs_of_errors_do_not_matter(errors):
    one, other = (
        curve(sample_of_z(sign * np.array(errors)), (1.0,), 0.05, 0.95) for sign in (1, -1)
    )
    for point, same in zip(one, other, strict=True):
        assert point.power == same.power
        assert point.adjusted.value == same.adjusted.value


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.floats(0.5, 3))
def test_power_is_the_mean_over_both_signs(errors, effect):
    points = {point.effect: point for point in curve(sample_of_z(errors), (effect,), 0.05, 0.95)}
    far = 1.959963984540054
    both = [np.abs(np.array(errors) + sign * effect) >= far for sign in (1, -1)]
    assert points[effect].power.value == pytest.approx(np.mean(both))


@given(st.lists(st.floats(-1.95, 1.95), min_size=1, max_size=20))
def test_power_rises_where_no_test_rejects_the_truth(errors):
    """A test that does may reject less with a small effect of the other sign than without one."""
    powers = [point.power.value for point in curve(sample_of_z(errors), (2.5,), 0.05, 0.95)]
    assert powers[0] == 0 and powers[-1] == 1
    assert (np.diff(powers) >= -1e-12).all()


def test_tests_that_resample_have_power_at_0_and_at_the_listed_effects_alone() -> None:
    effects = (2.0, 1.0)
    sample = drawn(4, sims=300, ratio=0.7)
    own = with_own(sample, effects)
    points = curve(own, effects, 0.05, 0.95)
    assert [point.effect for point in points] == [0.0, 1.0, 2.0]
    assert points[0].power == promises.false_positive_rate(sample, 0.05, 0.95)
    assert points[0].adjusted.value == 0.05 and points[0].power.value > 0.1
    plain = promises.power(sample, (1.0, 2.0), 0.05, 0.95)
    assert [point.power.value for point in points[1:]] == [one.value for one in plain]


def test_rows_are_of_the_strategies_that_have_a_curve() -> None:
    kinds = {INTERCEPT_KIND: ("(Intercept)",), "dose": ("dose",)}
    samples = [drawn(5, sims=50), blank(50), drawn(5, sims=50)]
    found = [
        *simulated(
            ["a", "lost", "b"],
            kinds,
            lambda place, terms: samples[place],
            {"dose": (1.0,), INTERCEPT_KIND: (1.0,)},
            {"a": True, "lost": True, "b": False},
            {("a", "dose"): True},
        )
    ]
    assert [(one.strategy, one.kind) for one in found] == [
        ("a", "dose"),
        ("lost", "dose"),
        ("b", "dose"),
    ]
    table = curves(found, 0.05, 0.95)
    assert table.schema == SCHEMA
    rows = table.to_pylist()
    assert {row["strategy"] for row in rows} == {"a"} and all(row["safe"] for row in rows)
    assert [row["effect"] for row in rows] == fine([1.0])


def test_an_intercept_that_is_alone_is_there() -> None:
    found = simulated(
        ["a"],
        {INTERCEPT_KIND: ("(Intercept)",)},
        lambda place, terms: blank(2),
        {INTERCEPT_KIND: (1.0,)},
        {"a": True},
        {},
    )
    assert [one.kind for one in found] == [INTERCEPT_KIND]


def test_one_sim_has_a_power_without_an_error_and_none_that_is_adjusted() -> None:
    one = Simulated("a", "dose", ("dose",), drawn(11, sims=1), (1.0,))
    row = curves([one], 0.05, 0.95).to_pylist()[-1]
    assert row["power"] == 0.5 or row["power"] in (0.0, 1.0)
    assert row["mcse"] is None and row["size_adjusted_power"] is None and row["n"] == 1

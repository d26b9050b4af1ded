"""The promises of a strategy against other ways to compute them, and their Monte Carlo errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri, stdtrit
from scipy.stats import t as student

from clustrategy.core.shard import Floats
from clustrategy.evaluation import measures, promises
from clustrategy.evaluation.measures import Replicates, Settings
from clustrategy.evaluation.promises import Found, Sample

EFFECTS = (0.4, 1.0, 2.5)


def drawn(
    seed: int, sims: int = 400, terms: int = 1, df: float = 9.0, bias: float = 0.0, ratio: float = 1
) -> Sample:
    """Errors with a standard deviation of 1 and t tests of them; terms share half of both."""
    rng = np.random.default_rng(seed)
    shape = (terms, sims)
    own, shared = rng.normal(size=shape), rng.normal(size=(1, sims))
    error = bias + np.sqrt(0.5) * (own + shared)
    chi = rng.chisquare(df / 2, size=shape) + rng.chisquare(df / 2, size=(1, sims))
    std_error = ratio * np.sqrt(chi / df)
    half = stdtrit(df, 0.975) * std_error
    return Sample(error, std_error, np.full(shape, df), error - half, error + half)


def of_measure(name: str, sample: Sample, truth: float = 0.0, **changed: Any) -> measures.Result:
    """Evaluate a measure on a sample of one term that has this true value."""
    (error,), (std_error,), (df,) = sample.error, sample.std_error, sample.df
    estimate = error + truth
    replicates = Replicates.of(estimate, np.full(error.size, truth), std_error, df, **changed)
    return measures.evaluate(name, replicates, Settings())


def same(found: Found, measure: measures.Result) -> None:
    assert found.value == pytest.approx(measure.value, abs=1e-12)
    assert found.mcse == pytest.approx(measure.mcse, abs=1e-12)
    assert found.n == measure.n


def test_of_one_term_they_are_the_measures() -> None:
    sample = drawn(1, bias=0.2, ratio=0.8)
    same(promises.coverage(sample, 0.95), of_measure("coverage", sample))
    same(promises.false_positive_rate(sample, 0.05, 0.95), of_measure("rejection_rate", sample))
    empirical = of_measure("empirical_se", sample).value
    biased = promises.bias(sample, 0.95)
    assert biased.value == pytest.approx(of_measure("bias", sample).value / empirical)
    model = promises.relative_error(sample, 0.95)
    other = of_measure("relative_error", sample)
    assert model.value == pytest.approx(other.value)
    assert model.mcse == pytest.approx(other.mcse, rel=0.1), "by another formula"
    for effect, plain, adjusted in zip(
        EFFECTS,
        promises.power(sample, EFFECTS, 0.05, 0.95),
        promises.size_adjusted_power(sample, EFFECTS, 0.05, 0.95),
        strict=True,
    ):
        same(plain, of_measure("rejection_rate", sample, truth=effect))
        same(adjusted, of_measure("size_adjusted_power", sample, truth=effect))


def test_p_values_of_shifted_nulls_are_those_of_shifted_estimates() -> None:
    """To reject the truth less an effect is to reject 0 were the coefficient the effect."""
    sample = drawn(2, sims=150, terms=2)
    shifts = np.array([0.0, *EFFECTS])[:, None, None]
    own = 2 * student.sf(np.abs(sample.error + shifts) / sample.std_error, sample.df)
    listed = Sample(sample.error, sample.std_error, sample.df, sample.low, sample.high, own)
    for function in (promises.power, promises.size_adjusted_power):
        pairs = zip(
            function(sample, EFFECTS, 0.05, 0.95),
            function(listed, EFFECTS, 0.05, 0.95),
            strict=True,
        )
        for by_t, by_list in pairs:
            assert (by_t.value, by_t.mcse, by_t.n) == (by_list.value, by_list.mcse, by_list.n)
    for place, effect in enumerate(EFFECTS):
        shifted = Sample(
            sample.error + effect, sample.std_error, sample.df, sample.low, sample.high
        )
        rejected = promises.false_positive_rate(shifted, 0.05, 0.95)
        assert promises.power(sample, EFFECTS, 0.05, 0.95)[place] == rejected
    # Not the other way round: the errors are skewed to make that differ.
    skewed = Sample(np.abs(sample.error), *(np.ones_like(sample.error),) * 2, *(sample.low,) * 2)
    (found,) = promises.power(skewed, (12.0,), 0.05, 0.95)
    expected = (np.abs(sample.error) + 12.0 >= student.isf(0.025, 1)).mean()
    assert found.value == pytest.approx(expected) and 0.1 < expected < 0.9


def test_the_power_of_t_tests_is_the_noncentral_one() -> None:
    # R 4.2: 1 - pt(qt(.975, 9), 9, ncp = 2.5) + pt(qt(.025, 9), 9, ncp = 2.5); the ncp of 80 %.
    sample = drawn(3, sims=20_000)
    (found,) = promises.power(sample, (2.5,), 0.05, 0.95)
    assert found.value == pytest.approx(0.606138374, abs=4 * found.mcse)
    (adjusted,) = promises.size_adjusted_power(sample, (2.5,), 0.05, 0.95)
    assert adjusted.value == pytest.approx(0.606138374, abs=4 * adjusted.mcse)
    least = promises.minimal_detectable_effect(sample, 0.05, 0.95)
    assert least.value == pytest.approx(3.149632886, abs=4 * least.mcse)
    assert found.mcse < 0.004 and adjusted.mcse < 0.008 and least.mcse < 0.02


def repeated() -> dict[str, Callable[[Sample], Found]]:
    return {
        "false positives": lambda one: promises.false_positive_rate(one, 0.05, 0.95),
        "coverage": lambda one: promises.coverage(one, 0.95),
        "relative_error": lambda one: promises.relative_error(one, 0.95),
        "bias": lambda one: promises.bias(one, 0.95),
        "power": lambda one: promises.power(one, (2.0,), 0.05, 0.95)[0],
        "adjusted": lambda one: promises.size_adjusted_power(one, (2.0,), 0.05, 0.95)[0],
        "detectable": lambda one: promises.minimal_detectable_effect(one, 0.05, 0.95),
        "both signs": lambda one: promises.power(one.both_signs(), (2.0,), 0.05, 0.95)[0],
    }


@pytest.mark.parametrize("what", repeated())
def test_errors_are_the_spread_over_samples_of_dependent_terms(what: str) -> None:
    function = repeated()[what]
    samples = [drawn(seed, 300, terms=3, bias=0.7, ratio=0.8) for seed in range(250)]
    found = [function(one) for one in samples]
    spread = np.std([one.value for one in found], ddof=1)
    mcse = np.sqrt(np.mean([one.mcse**2 for one in found]))
    assert mcse == pytest.approx(spread, rel=0.16)
    truth = np.mean([one.value for one in found])
    assert 0.9 < np.mean([one.low <= truth <= one.high for one in found]) < 0.99


def test_the_error_of_a_mean_of_dependent_terms_is_in_the_trials() -> None:
    sample = drawn(5, 500, terms=3)
    found = promises.false_positive_rate(sample, 0.2, 0.95)
    assert found.trials == pytest.approx(found.value * (1 - found.value) / found.mcse**2)
    assert 500 < found.trials < 1500


def test_power_reaches_80_percent_at_the_least_effect() -> None:
    for seed, terms in ((6, 1), (7, 3)):
        sample = drawn(seed, 201, terms)
        effect = promises.minimal_detectable_effect(sample, 0.05, 0.95).value
        (at,), (below,) = (
            promises.power(sample, (each,), 0.05, 0.95)
            for each in (effect * (1 + 1e-12), effect * (1 - 1e-9))
        )
        assert below.value < 0.8 <= at.value


def test_the_least_effect_of_a_z_test() -> None:
    """Of errors that are normal quantiles: z(.975) + z(.8), and its interval's order statistics."""
    errors = ndtri((np.arange(4001) + 0.5) / 4001)[None]
    one, endless = np.ones_like(errors), np.full_like(errors, np.inf)
    found = promises.minimal_detectable_effect(
        Sample(errors, one, endless, errors, errors), 0.05, 0.95
    )
    assert found.value == pytest.approx(1.959964 + 0.841621, abs=1e-3)
    share = 1.959964 * np.sqrt(0.8 * 0.2 / 4001)
    ends = 1.959964 + ndtri([0.8 - share, 0.8 + share])
    assert (found.low, found.high) == pytest.approx(tuple(ends), abs=2e-3)


def test_the_critical_p_value_gives_the_truth_the_level() -> None:
    """By the definition: the power of the tests of which 5 % reject the truth."""
    rng = np.random.default_rng(8)
    null, p = rng.beta(0.5, 1, size=(1, 401)), rng.beta(0.2, 2, size=(1, 401))
    nothing = np.zeros((1, 401))
    sample = Sample(nothing, nothing, nothing, nothing, nothing, np.array([null, p]))
    (found,) = promises.size_adjusted_power(sample, (1.0,), 0.05, 0.95)
    critical = np.sort(null[0])[20]  # Of 401 it has 20 below it, 5 % of 400.
    assert found.value == (p < critical).mean()
    assert found.value < (p <= 0.05).mean() - 0.05, "the tests are liberal"
    assert found.influence is not None
    assert np.mean(found.influence) == pytest.approx(0, abs=0.02)


def test_a_test_with_liberal_standard_errors_earns_no_power_by_them() -> None:
    honest = drawn(9, sims=500)
    liberal = Sample(honest.error, honest.std_error * 0.5, honest.df, honest.low, honest.high)
    (plain,), (more,) = (promises.power(one, (1.0,), 0.05, 0.95) for one in (honest, liberal))
    assert more.value > plain.value + 0.2
    (own,), (same_,) = (
        promises.size_adjusted_power(one, (1.0,), 0.05, 0.95) for one in (honest, liberal)
    )
    # p rises with |t| whatever the factor is; the critical value is interpolated on another scale.
    assert same_.value == pytest.approx(own.value, abs=0.005)


def test_intervals_without_ends_cover_the_truth() -> None:
    low = np.array([[-np.inf, -np.inf, 0.5, np.nan, -1.0]])
    high = np.array([[np.inf, -0.5, np.inf, 1.0, 1.0]])
    unknown = np.full((1, 5), np.nan)
    found = promises.coverage(Sample(unknown, unknown, unknown, low, high), 0.95)
    assert (found.value, found.n) == (0.5, 4)


def test_terms_that_a_dataset_lacks_are_left_out_of_its_mean() -> None:
    found = promises.rate(np.array([[1.0, 0.0, np.nan], [np.nan, 1.0, np.nan]]), 0.95)
    assert (found.value, found.n) == (0.75, 2)
    assert found.mcse == pytest.approx(np.sqrt(0.0625 / 2))


def test_the_lowest_and_the_highest_power_are_ends() -> None:
    sample = drawn(10, sims=50)
    (found,) = promises.size_adjusted_power(sample, (50.0,), 0.05, 0.95)
    assert (found.value, found.high, found.mcse) == (1.0, 1.0, pytest.approx(0, abs=1e-12))


def blank(sims: int) -> Sample:
    """A sample of one term without a number."""
    return Sample(*(np.full((1, sims), np.nan),) * 5)


@pytest.mark.parametrize("sims", [1, 4])
def test_nothing_has_no_numbers(sims: int) -> None:
    sample = blank(sims)
    found = [
        promises.false_positive_rate(sample, 0.05, 0.95),
        promises.coverage(sample, 0.95),
        promises.relative_error(sample, 0.95),
        promises.bias(sample, 0.95),
        *promises.power(sample, EFFECTS, 0.05, 0.95),
        *promises.size_adjusted_power(sample, EFFECTS, 0.05, 0.95),
        promises.minimal_detectable_effect(sample, 0.05, 0.95),
    ]
    assert {one.note for one in found} == {"no usable fit"}
    assert np.isnan([one.value for one in found]).all() and not any(one.n for one in found)


def test_one_sim_has_rates_without_errors() -> None:
    sample = drawn(11, sims=1)
    rates = [
        promises.false_positive_rate(sample, 0.05, 0.95),
        *promises.power(sample, (100.0,), 0.05, 0.95),
    ]
    assert [(one.value, one.n, one.note) for one in rates] == [
        (0.0, 1, "one sim"),
        (1, 1, "one sim"),
    ]
    assert np.isnan([one.mcse for one in rates]).all()
    # R 4.2: prop.test(0, 1, correct = FALSE)$conf.int
    assert (rates[0].low, rates[0].high) == pytest.approx((0, 0.793450856))
    for one in (
        promises.relative_error(sample, 0.95),
        promises.bias(sample, 0.95),
        *promises.size_adjusted_power(sample, EFFECTS, 0.05, 0.95),
        promises.minimal_detectable_effect(sample, 0.05, 0.95),
    ):
        assert (one.n, one.note) == (1, "one sim") and np.isnan(one.value)


def test_why_there_is_no_number() -> None:
    sample = drawn(12, sims=30)
    for function in (promises.relative_error, promises.bias):
        assert function(sample, 0.95, finite_variance=False).note == "no finite variance"
        alike = Sample(np.ones((1, 9)), *(np.ones((1, 9)),) * 4)
        assert function(alike, 0.95).note == "the replicates do not vary"
    untested = Sample(sample.error, *(np.full((1, 30), np.nan),) * 4)
    rate = promises.false_positive_rate(untested, 0.05, 0.95)
    assert (rate.note, rate.n) == ("the p-value at the true value is not known", 0)
    listed = Sample(*(sample.error,) * 5, np.array([sample.error]))
    least = promises.minimal_detectable_effect(listed, 0.05, 0.95)
    assert least.note == "tests by resampling: power at the listed effects only"
    endless = Sample(sample.error, np.full((1, 30), 1e308), sample.df * 0.1, *(sample.error,) * 2)
    least = promises.minimal_detectable_effect(endless, 0.05, 0.95)
    assert (least.note, least.n) == ("power does not reach 80 %", 30)


def test_the_delta_method_is_that_of_the_jackknife() -> None:
    """The influence of each dataset, against leaving it out, in samples of several terms."""
    sample = drawn(13, sims=60, terms=2, bias=0.5, ratio=0.7)

    def without(function: Callable[..., Found], one: int) -> float:
        columns: list[Floats] = [
            np.delete(each, one, axis=1)
            for each in (sample.error, sample.std_error, sample.df, sample.low, sample.high)
        ]
        return function(Sample(*columns), 0.95).value

    for function in (promises.relative_error, promises.bias):
        left_out = np.array([without(function, one) for one in range(60)])
        jackknife = np.sqrt(59 / 60 * ((left_out - left_out.mean()) ** 2).sum())
        assert function(sample, 0.95).mcse == pytest.approx(jackknife, rel=0.05)

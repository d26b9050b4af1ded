"""Verdicts for sims that are fixed in advance, and for sims that are added until they decide."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.evaluation import promises
from clustrategy.evaluation.cell_verdicts import PLANNED, Rules
from clustrategy.evaluation.confidence_sequence import beta_binomial, betting, log_wealth, tuned
from clustrategy.evaluation.regions import Regions
from clustrategy.evaluation.wilson import wilson

ONE = (np.random.default_rng(1).random((1, 2000)) < 0.05).astype(float)
SEVERAL = (np.random.default_rng(2).random((3, 2000)) < 0.05).astype(float)
FIXED = Rules()
ANYTIME = Rules(anytime=True)


def test_limits_of_fixed_sims_are_wilsons() -> None:
    found = promises.rate(SEVERAL, 0.95)
    assert FIXED.limits(found, 0.9) == tuple(map(float, wilson(found.value, found.trials, 0.9)))


def test_limits_that_hold_at_any_time_are_those_of_a_sequence() -> None:
    one, several = promises.rate(ONE, 0.95), promises.rate(SEVERAL, 0.95)
    low, high = beta_binomial(ONE.sum(), 2000, tuned(0.05, PLANNED), 0.9)
    assert ANYTIME.limits(one, 0.9) == (float(low), float(high))
    assert ANYTIME.limits(several, 0.9) == betting(SEVERAL.mean(axis=0), 0.9)


def test_the_sequence_is_tuned_alike_however_many_sims_there_are() -> None:
    few = ANYTIME.limits(promises.rate(ONE[:, :100], 0.95), 0.95)
    more = ANYTIME.limits(promises.rate(ONE, 0.95), 0.95)
    assert few == tuple(map(float, beta_binomial(ONE[0, :100].sum(), 100, tuned(0.05, 1000))))
    assert few[0] < more[0] < more[1] < few[1]


@pytest.mark.parametrize("outcomes", [ONE, SEVERAL])
def test_who_may_stop_at_any_time_decides_later(outcomes: np.ndarray) -> None:
    found = promises.rate(outcomes, 0.95)
    fixed, anytime = (rules.false_positives(found, ("a",), 0.0, 2000) for rules in (FIXED, ANYTIME))
    widths = [each.found.high - each.found.low for each in (fixed, anytime)]
    assert widths[0] < widths[1]
    assert (anytime.found.low, anytime.found.high) == ANYTIME.limits(found, 0.95)
    assert anytime.safe == (anytime.found.high <= 0.065) and anytime.verdict is not None
    assert anytime.verdict == Regions().verdict(anytime.found.low, anytime.found.high)


def test_intervals_that_miss_are_judged_by_the_same_limits() -> None:
    held = promises.rate(1.0 - ONE, 0.95)
    judged = ANYTIME.promise("coverage", held, ("a",), 2000)
    low, high = ANYTIME.limits(held, 0.95)
    assert (judged.found.low, judged.found.high) == (low, high)
    assert judged.verdict == Regions().verdict(1 - high, 1 - low)


def test_a_rate_at_the_bound_is_called_safe_at_some_time_as_rarely_as_promised() -> None:
    """By who looks after every 20 of 10,000 sims; one end of a 90 % sequence does not do."""
    rng = np.random.default_rng(3)
    runs, n = 1000, np.arange(20, 10_001, 20)
    seen = np.cumsum(rng.random((runs, 10_000), dtype=np.float32) < 0.065, axis=1)[:, 19::20]
    safe = {}
    for confidence in (0.9, 0.95):
        excluded = log_wealth(seen, n, 0.065, ANYTIME.mixture) > -np.log(1 - confidence)
        safe[confidence] = (excluded & (seen < 0.065 * n)).any(axis=1).mean()
    assert safe[0.95] < 0.05 < safe[0.9]
    _, limits = beta_binomial(np.arange(260), 4000, ANYTIME.mixture, 0.9)
    run = (np.arange(4000) < np.flatnonzero(limits <= 0.065)[-1])[None].astype(float)
    found = promises.rate(run, 0.95)
    assert ANYTIME.limits(found, 0.9)[1] <= 0.065 < ANYTIME.limits(found, 0.95)[1]
    assert not ANYTIME.false_positives(found, ("a",), 0.0, 4000).safe


def test_what_the_outcomes_are_does_not_choose_the_sequence() -> None:
    """Two terms that agree so far may not agree in the next sim."""
    alike = promises.rate(np.repeat(ONE, 2, axis=0), 0.95)
    assert ANYTIME.limits(alike, 0.95) == betting(ONE[0], 0.95)
    assert ANYTIME.limits(alike, 0.95) != ANYTIME.limits(promises.rate(ONE, 0.95), 0.95)

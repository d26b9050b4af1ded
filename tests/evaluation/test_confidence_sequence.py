"""Limits that hold at every number of sims at once."""

from __future__ import annotations

from fractions import Fraction
from math import comb, log

import numpy as np
import pytest
from scipy.special import logsumexp

from clustrategy.evaluation.confidence_sequence import (
    Mixture,
    beta_binomial,
    betting,
    log_wealth,
    tuned,
)
from clustrategy.evaluation.wilson import wilson

UNIFORM = Mixture(1.0, 1.0)


def test_the_martingale_is_the_mixed_over_the_own_likelihood() -> None:
    # Under a uniform mixture the likelihood of an order with s of n is 1 / ((n + 1) C(n, s)).
    for s, n, p in ((0, 1, 0.5), (3, 7, 0.25), (7, 7, 0.5), (2, 40, 0.05)):
        mixed = Fraction(1, (n + 1) * comb(n, s))
        own = Fraction(p) ** s * Fraction(1 - Fraction(p)) ** (n - s)
        assert log_wealth(s, n, p, UNIFORM) == pytest.approx(log(mixed / own), abs=1e-12)


def test_its_mean_over_all_outcomes_is_one() -> None:
    mixture, p, n = Mixture(2.0, 30.0), 0.07, 25
    s = np.arange(n + 1)
    log_binomial = np.log([comb(n, int(k)) * p**k * (1 - p) ** (n - k) for k in s])
    assert logsumexp(log_binomial + log_wealth(s, n, p, mixture)) == pytest.approx(0.0, abs=1e-12)


def test_limits_are_where_the_martingale_reaches_twenty() -> None:
    mixture = tuned(0.05, 1000)
    s, n = np.array([1, 20, 50, 200]), np.array([1000] * 4)
    for limit in beta_binomial(s, n, mixture):
        assert log_wealth(s, n, limit, mixture) == pytest.approx(np.log(20), abs=1e-6)


def test_nothing_seen_leaves_everything_in() -> None:
    assert beta_binomial(0, 0, UNIFORM) == (0.0, 1.0)
    assert betting(np.array([])) == (0.0, 1.0)
    assert betting(np.array([1.0]))[1] == pytest.approx(1.0)


def test_all_or_none_leave_the_end_in() -> None:
    none, all_of_them = beta_binomial(0, 60, UNIFORM), beta_binomial(60, 60, UNIFORM)
    # (1 - p)^60 = .05 / 61
    assert none == (0.0, pytest.approx(1 - (0.05 / 61) ** (1 / 60)))
    assert all_of_them == (pytest.approx((0.05 / 61) ** (1 / 60)), 1.0)
    low, high = betting(np.zeros(200))
    assert low == pytest.approx(0.0, abs=1e-12) and high < 0.1
    assert betting(np.ones(200)) == (pytest.approx(1 - high), pytest.approx(1 - low))


def test_a_tuned_sequence_is_hardly_wider_than_an_interval_of_fixed_sims() -> None:
    for n in (1000, 10_000):
        mixture = tuned(0.05, n)
        low, high = beta_binomial(0.05 * n, n, mixture)
        narrow = np.subtract(*wilson(0.05, n)[::-1])
        assert narrow < high - low < 1.75 * narrow


@pytest.mark.parametrize("rate", [0.03, 0.05, 0.08])
def test_at_most_one_run_in_twenty_ever_leaves_out_the_truth(rate: float) -> None:
    runs, n = 1500, np.arange(1, 1501)
    s = (np.random.default_rng(7).random((runs, n.size)) < rate).cumsum(axis=1)
    wealth = log_wealth(s, n, rate, tuned(0.05, 1000))
    # Four standard errors of 5 % of 1,500.
    assert (wealth.max(axis=1) >= np.log(20)).mean() < 0.05 + 4 * 0.0057
    low, high = wilson(s / n, n)
    read_again = ((low > rate) | (high < rate))[:, 29:].any(axis=1).mean()
    assert read_again > 0.25, "an interval of fixed sims, read again and again, does"


def test_bets_on_means_of_alike_terms_ever_leave_out_the_truth_as_seldom() -> None:
    rng = np.random.default_rng(11)
    left_out = 0
    for _ in range(300):
        together = rng.random(400) < 0.5
        terms = np.where(together, rng.random(400) < 0.05, rng.random((3, 400)) < 0.05)
        low, high = betting(terms.mean(axis=0))
        left_out += low > 0.05 or high < 0.05
    assert left_out <= 15 + 4 * 3.8


def test_bets_exclude_what_is_far_and_never_take_it_back() -> None:
    x = np.random.default_rng(3).random(3000) < 0.2
    before = (0.0, 1.0)
    for n in (100, 300, 1000, 3000):
        low, high = betting(x[:n].astype(float))
        assert before[0] <= low < 0.2 < high <= before[1]
        before = low, high
    assert before[0] > 0.15 and before[1] < 0.25


def test_terms_that_are_known_better_have_closer_limits() -> None:
    rng = np.random.default_rng(5)
    one = (rng.random(1000) < 0.05).astype(float)
    three = (rng.random((3, 1000)) < 0.05).mean(axis=0)
    assert np.subtract(*betting(three)[::-1]) < np.subtract(*betting(one)[::-1])


def test_outcomes_whose_mean_changes_leave_an_interval_all_the_same() -> None:
    low, high = betting(np.repeat([1.0, 0.0], [500, 5000]))
    assert 0.0 < low < high < 1.0

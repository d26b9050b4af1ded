"""From a rate and its interval to a verdict: edges, R's intervals and p-values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.evaluation.regions import (
    BIASED,
    HOLDS,
    RATES,
    Regions,
    Verdict,
    holm,
    verdict_of,
)
from clustrategy.evaluation.wilson import wilson

BOUNDS = (0.025, 0.065, 0.075)


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.0, 0.024999, "conservative"),
        (0.025, 0.025, "holds"),
        (0.025, 0.065, "holds"),
        (0.065000001, 0.075, "slightly_liberal"),
        (0.075, 0.075, "slightly_liberal"),
        (0.075000001, 1.0, "liberal"),
    ],
)
def test_the_region_that_the_interval_lies_in(low: float, high: float, word: str) -> None:
    assert verdict_of((low, high), BOUNDS, RATES) == Verdict(word)


@pytest.mark.parametrize(
    ("low", "high", "between"),
    [
        (0.0, 0.025, "conservative or holds"),
        (0.03, 0.066, "holds or slightly_liberal"),
        (0.065, 0.07, "holds or slightly_liberal"),
        (0.07, 0.08, "slightly_liberal or liberal"),
        (0.03, 0.08, "holds, slightly_liberal or liberal"),
        (0.01, 0.9, "conservative, holds, slightly_liberal or liberal"),
    ],
)
def test_what_touches_several_regions_is_between_them(
    low: float, high: float, between: str
) -> None:
    assert verdict_of((low, high), BOUNDS, RATES) == Verdict("undecided", between)


def test_a_region_without_width_is_not_named() -> None:
    assert verdict_of((0.05, 0.08), (0.025, 0.075, 0.075), RATES).between == "holds or liberal"


def test_both_sides_may_be_one_word() -> None:
    words = (BIASED, HOLDS, BIASED)
    assert verdict_of((-0.5, -0.11), (-0.1, 0.1), words).word == "biased"
    assert verdict_of((-0.1, 0.1), (-0.1, 0.1), words).word == "holds"
    assert verdict_of((0.11, 0.5), (-0.1, 0.1), words).word == "biased"
    assert verdict_of((-0.5, 0.5), (-0.1, 0.1), words) == ("undecided", "biased or holds")
    assert verdict_of((0.0, 0.2), (-0.1, 0.1), words) == ("undecided", "holds or biased")


def judged(regions: Regions, share: float, n: float) -> Verdict:
    """The verdict of Wilson's interval, as it is of sims that are fixed in advance."""
    low, high = wilson(share, n, regions.confidence)
    return regions.verdict(float(low), float(high))


def limit(share: float, n: int) -> float:
    """The one-sided upper limit of 95 %."""
    return float(wilson(share, n, 0.9)[1])


@pytest.mark.parametrize(
    ("rejected", "n", "verdict"),
    [
        # R 4.2: prop.test(x, n, correct = FALSE)$conf.int is .0381 to .0653; of the next
        # .0602 to .0699; .0738 to .1094; 0 to .0250 and, of 150, just below.
        (50, 1000, ("undecided", "holds or slightly_liberal")),
        (649, 10_000, ("undecided", "holds or slightly_liberal")),
        (90, 1000, ("undecided", "slightly_liberal or liberal")),
        (500, 10_000, ("holds", "")),
        (900, 10_000, ("liberal", "")),
        (700, 100_000, ("conservative", "")),
        (7000, 100_000, ("slightly_liberal", "")),
        (0, 150, ("conservative", "")),
        (0, 149, ("undecided", "conservative or holds")),
    ],
)
def test_the_verdict_is_that_of_wilsons_interval(
    rejected: int, n: int, verdict: tuple[str, str]
) -> None:
    assert judged(Regions(), rejected / n, n) == verdict


def test_bounds_are_multiples_of_the_level() -> None:
    assert Regions(0.1, 0.2, 2, 4).bounds == pytest.approx((0.02, 0.2, 0.4))


@pytest.mark.parametrize(("n", "most"), [(1000, 52), (10_000, 609)])
def test_safe_is_by_the_one_sided_limit(n: int, most: int) -> None:
    """The largest x with prop.test(x, n, conf.level = .9, correct = FALSE)$conf.int[2] <= .065."""
    assert Regions().is_safe(limit(most / n, n), 0.05)
    assert not Regions().is_safe(limit((most + 1) / n, n), 0.05)
    assert not Regions().is_safe(limit(most / n, n), 0.0501)
    assert Regions().is_safe(limit(0.0, n), 0.0), "conservative is safe"


def test_the_excess_is_tested_by_scores() -> None:
    # R 4.2: prop.test(x, 1000, p = .075, alternative = "greater", correct = FALSE)$p.value
    for rejected, p_value in ((90, 0.0358592682542), (60, 0.964140731746)):
        assert Regions().excess_p_value(rejected / 1000, 1000) == pytest.approx(p_value, abs=1e-9)


@given(st.floats(0, 1), st.floats(0.8, 0.99))
def test_so_many_trials_decide_and_a_twentieth_fewer_do_not(
    share: float, confidence: float
) -> None:
    regions = Regions(confidence=confidence)
    n = regions.trials_needed(share)
    if n < 1e9:
        assert judged(regions, share, n * (1 + 1e-6)).word != "undecided"
        assert judged(regions, share, 0.95 * n).word == "undecided"


def test_a_rate_at_a_bound_is_never_decided() -> None:
    assert Regions().trials_needed(Regions().bounds[1]) == np.inf


def test_no_rate_is_beyond_the_ends() -> None:
    """With a lower bound of 0, z² (1 - b) / b decides for a rate of 0, b = 6.5 %."""
    assert Regions(lower=0).trials_needed(0.0) == pytest.approx(1.959964**2 * 0.935 / 0.065)
    assert judged(Regions(lower=0), 0.0, 56).word == "holds"
    assert np.isfinite(Regions(upper=4, liberal=20).trials_needed(1.0))


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        # R 4.2: p.adjust(p, "holm")
        ([0.01, 0.04, 0.03, 0.005, 0.2], [0.04, 0.09, 0.09, 0.025, 0.2]),
        ([0.02, 0.024, 0.9, 0.0001, 0.0124], [0.06, 0.06, 0.9, 0.0005, 0.0496]),
        ([0.04], [0.04]),
    ],
)
def test_holm_rejects_what_r_adjusts_to_the_level(
    p_values: list[float], adjusted: list[float]
) -> None:
    for level in (0.0003, 0.03, 0.045, 0.05, 0.07, 0.15, 0.95):
        expected = np.array(adjusted) <= level
        np.testing.assert_array_equal(holm(np.array(p_values), level), expected)

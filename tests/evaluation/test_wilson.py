"""Wilson's interval, and how much terms of the same datasets tell together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.evaluation.wilson import effective_trials, wilson


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_intervals(count: int, n: int, low: float, high: float) -> None:
    assert wilson(count / n, n) == pytest.approx((low, high), abs=5e-5)


@given(st.floats(0, 1), st.floats(1, 1e6), st.sampled_from([(0.5, 0.67449), (0.9, 1.644854)]))
def test_its_ends_are_as_far_from_the_rate_as_their_own_standard_errors_say(
    share: float, n: float, level: tuple[float, float]
) -> None:
    confidence, z = level
    for end in wilson(share, n, confidence):
        distance = z * np.sqrt(end * (1 - end) / n)
        assert abs(share - end) == pytest.approx(distance, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize(
    ("by_dataset", "trials"),
    [
        # Both terms always go together, or are as if each were a dataset's own.
        ([1.0, 1.0, 0.0, 0.0], 4.0),
        ([1.0, 0.5, 0.5, 0.0], 8.0),
        # R = 5/8, and the datasets' means have a variance of 11/64: 4 * (15/64) / (11/64).
        ([1.0, 1.0, 0.5, 0.0], 60 / 11),
        # Nothing varies.
        ([0.0, 0.0, 0.0, 0.0], 4.0),
        ([1.0, 1.0, 1.0, 1.0], 4.0),
        ([0.5, 0.5, 0.5, 0.5], 4.0),
        ([0.5], 1.0),
        # Terms that exclude each other tell no more than as many independent ones.
        ([0.5] * 9 + [1.0], 20.0),
    ],
)
def test_terms_of_a_dataset_count_as_far_as_they_vary_on_their_own(
    by_dataset: list[float], trials: float
) -> None:
    share = float(np.mean(by_dataset))
    assert effective_trials(share, np.array(by_dataset), 2) == pytest.approx(trials)

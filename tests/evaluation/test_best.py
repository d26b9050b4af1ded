"""Multiple comparisons with the best: paired intervals by hand, and how often the limits hold."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.shard import Floats
from clustrategy.evaluation.best import with_the_best


def influence_of(values: Floats) -> Floats:
    return values - np.nanmean(values, axis=1, keepdims=True)


def test_two_strategies_are_compared_by_a_paired_interval() -> None:
    """Of the mean over two cells of 8 and 5 datasets that are independent of each other."""
    rng = np.random.default_rng(1)
    cells = [rng.normal(size=(2, n)) for n in (8, 5)]
    powers = np.array([cell.mean(axis=1) for cell in cells]).T
    first, second = with_the_best(powers, [influence_of(cell) for cell in cells])
    differences = [cell[0] - cell[1] for cell in cells]
    mean = np.mean([one.mean() for one in differences])
    error = np.sqrt(sum(one.var(ddof=1) / one.size for one in differences)) / 2
    assert (first.value, first.mcse) == pytest.approx((mean, error))
    ends = mean - 1.6448536 * error, mean + 1.6448536 * error
    assert (first.low, first.high) == pytest.approx(ends)
    assert (second.low, second.high) == pytest.approx((-ends[1], -ends[0]))


def test_the_rival_is_the_best_of_the_others_and_limits_are_of_whichever_it_is() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(3, 50)) * np.array([[1.0], [0.1], [5.0]])
    powers = np.array([[0.5], [0.6], [0.58]])
    compared = with_the_best(powers, [influence_of(values)], confidence=0.9)
    assert [one.value for one in compared] == pytest.approx([-0.1, 0.02, -0.02])
    error = {
        (i, j): (values[i] - values[j]).std(ddof=1) / np.sqrt(50)
        for i in range(3)
        for j in range(3)
    }
    # Two comparisons at 5 % each.
    z = 1.6448536
    assert compared[0].mcse == pytest.approx(error[0, 1])
    assert compared[0].high == pytest.approx(
        min(-0.1 + z * error[0, 1], -0.08 + z * error[0, 2]), abs=1e-7
    )
    assert compared[0].low == pytest.approx(
        min(-0.1 - z * error[0, 1], -0.08 - z * error[0, 2]), abs=1e-7
    )
    assert compared[0].low < -0.08 - z * error[0, 1], "that of the one that varies most"


def test_datasets_that_one_lacks_are_no_part_of_the_error() -> None:
    values = np.array([[1.0, 2.0, 4.0, np.nan, 100.0], [0.0, 2.0, 1.0, 50.0, np.nan]])
    one, _ = with_the_best(np.array([[0.5], [0.4]]), [values])
    assert one.mcse == pytest.approx(np.std([1.0, 0.0, 3.0], ddof=1) / np.sqrt(3))
    nothing, _ = with_the_best(np.array([[0.5], [0.4]]), [np.array([[1.0, np.nan]] * 2)])
    assert (nothing.low, nothing.high) == (-np.inf, np.inf), "one dataset has no error"


def test_strategies_that_are_the_same_are_exactly_as_good() -> None:
    values = np.tile(np.arange(4.0), (2, 1))
    for one in with_the_best(np.array([[0.3], [0.3]]), [values]):
        assert one == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "truth", [(0.5, 0.5), (0.5, 0.5, 0.5, 0.5), (0.5, 0.48, 0.4, 0.52), (0.9, 0.5, 0.5)]
)
def test_each_limit_holds_as_often_as_it_says(truth: tuple[float, ...]) -> None:
    rng = np.random.default_rng(3)
    k, runs = len(truth), 500
    exact = [truth[i] - max(truth[:i] + truth[i + 1 :]) for i in range(k)]
    above, below = np.zeros(k), np.zeros(k)
    for _ in range(runs):
        found = rng.normal(size=(1, 100)) + rng.normal(size=(k, 100)) * 0.5
        values = np.array(truth)[:, None] + 0.1 * found
        compared = with_the_best(values.mean(axis=1)[:, None], [influence_of(values)])
        above += [one.high >= each for one, each in zip(compared, exact, strict=True)]
        below += [one.low <= each for one, each in zip(compared, exact, strict=True)]
    sure = 0.95 - 3 * np.sqrt(0.95 * 0.05 / runs)
    assert min(*above, *below) >= sure * runs
    if k == 2:
        assert max(*above, *below) <= (0.95 + 3 * np.sqrt(0.95 * 0.05 / runs)) * runs

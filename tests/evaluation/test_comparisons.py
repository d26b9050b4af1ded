"""The rule that judges statements."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.shard import Floats
from clustrategy.evaluation.comparisons import (
    DOES_NOT_HOLD,
    HOLDS,
    UNDECIDED,
    judge,
    of_cells,
    of_each,
    of_one,
)


def around(found: Floats, error: float = 0.1, draws: int = 400) -> Floats:
    """Return what was found, and draws around it that are independent."""
    rng = np.random.default_rng(3)
    return np.concatenate([found[None], found + error * rng.standard_normal((draws, *found.shape))])


def test_bands_contain_the_truth_of_all_comparisons_in_95_of_100_studies() -> None:
    """The truth is 0, so that any comparison that is sure, either way, is an error."""
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(400):
        found = rng.standard_normal(20)
        margins = np.concatenate([found[None], found + rng.standard_normal((400, 20))])
        _, (counts,) = judge([of_each(margins)])
        wrong += counts.sure > 0 or counts.possible < 20
    assert wrong / 400 == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 400))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([1.0, 1.0, 1.0], HOLDS),
        ([1.0, 1.0, 0.1], UNDECIDED),
        ([1.0, 1.0, -0.1], UNDECIDED),
        ([1.0, 1.0, -1.0], DOES_NOT_HOLD),
        ([0.1, 1.0, -1.0], DOES_NOT_HOLD),
    ],
)
def test_where_all_have_to_be_true(found: list[float], verdict: str) -> None:
    assert judge([of_each(around(np.array(found)))])[0] == verdict
    assert judge([of_one(around(np.array(found)))])[0] == verdict


@pytest.mark.parametrize(
    ("found", "counts", "verdict"),
    [
        ([1.0, 1.0, -1.0, -1.0], (2, 2, 2), HOLDS),
        ([1.0, 0.1, -1.0, -1.0], (2, 1, 2), UNDECIDED),
        ([1.0, -0.1, -1.0, -1.0], (1, 1, 2), UNDECIDED),
        ([1.0, -1.0, -1.0, -1.0], (1, 1, 1), DOES_NOT_HOLD),
    ],
)
def test_where_two_of_four_cells_have_to_be_true(
    found: list[float], counts: tuple[int, int, int], verdict: str
) -> None:
    """A second comparison is true in each cell."""
    margins = around(np.stack([np.array(found), np.ones(4)]))
    assert judge([of_cells(margins, 2)]) == (verdict, [counts])


def test_each_part_has_to_be_true() -> None:
    true, false, open_ = (of_one(around(np.array([one]))) for one in (1.0, -1.0, 0.05))
    assert judge([true, true])[0] == HOLDS
    assert judge([true, open_])[0] == UNDECIDED
    assert judge([open_, false])[0] == DOES_NOT_HOLD


def test_without_a_number_or_its_error_nothing_is_sure() -> None:
    margins = around(np.array([1.0, 1.0]))
    margins[:, 1] = np.nan
    assert judge([of_each(margins)]) == (UNDECIDED, [(1, 1, 2)])
    margins[0, 1] = -1.0
    assert judge([of_each(margins)]) == (UNDECIDED, [(1, 1, 2)])
    margins[:, 0] = -1.0
    assert judge([of_each(margins)])[0] == DOES_NOT_HOLD


def test_what_does_not_vary_is_as_it_was_found() -> None:
    assert judge([of_each(np.ones((5, 2)))])[0] == HOLDS
    assert judge([of_each(np.zeros((5, 2)))])[0] == DOES_NOT_HOLD

"""Predictors that others determine are named, with those that do."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.errors import DataError
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.design.full_rank import check_rank, first_names, solve_full_rank

RNG = np.random.default_rng(2)
A, B, C = RNG.normal(size=(3, 20))
D = np.exp(A)


def of(**columns: np.ndarray) -> Shard:
    X = np.column_stack([np.ones(20), *columns.values()])
    return Shard(A + B * C, X, np.full((1, 5), 4), (INTERCEPT, *columns))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a": A, "b": B, "c": A - B}, "'c' is a combination of a, b; leave one of them out"),
        ({"a": A, "b": B, "c": 2 - A}, "'c' is a combination of (Intercept), a; leave one of"),
        ({"a": A, "b": 1e9 * B, "c": -B}, "'c' is a combination of b; leave one of them out"),
        ({"a": 1e9 * A, "c": 1e-9 * A, "b": B}, "'c' is a combination of a; leave one of them"),
    ],
)
def test_the_first_that_earlier_ones_determine(columns, said):
    with pytest.raises(DataError) as caught:
        solve_full_rank(of(**columns))
    assert str(caught.value).startswith(f"the predictors are linearly dependent: {said}")


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (np.full(20, 3.0), "the predictor 'x' is 3 in every row: leave it out"),
        (np.zeros(20), "the predictor 'x' is 0 in every row: leave it out"),
    ],
)
def test_a_predictor_that_is_constant(column, said):
    with pytest.raises(DataError, match=f"^{said}$"):
        solve_full_rank(of(a=A, x=column))


def test_a_predictor_of_zeros_without_an_intercept():
    shard = of(a=A, x=np.zeros(20))
    shard = Shard(shard.y, shard.X[:, 1:], shard.n, shard.terms[1:])
    with pytest.raises(DataError, match="^the predictor 'x' is 0 in every row: leave it out$"):
        solve_full_rank(shard)


def test_independent_predictors_are_solved():
    shard = of(a=A, b=1e9 * B, c=C, d=A + 1e-4 * D)
    check_rank(shard)
    known = np.linalg.lstsq(shard.X / [1, 1, 1e9, 1, 1], shard.y, rcond=None)[0]
    ours = solve_full_rank(shard).estimate[0] * [1, 1, 1e9, 1, 1]
    np.testing.assert_allclose(ours, known, rtol=1e-8)


def test_of_many_names_some():
    assert first_names(list("abcde")) == "a, b, c, d, e"
    assert first_names(list("abcdefgh")) == "a, b, c, d, e and 3 more"

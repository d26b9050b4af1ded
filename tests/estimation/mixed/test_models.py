from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.shard import Shard
from clustrategy.estimation.mixed.models import (
    formula,
    is_singular,
    named_columns,
    random_columns,
    unknown_name,
)
from tests.material import golden, random_shard

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def columns(shard: Shard) -> list[int]:
    """The columns with random coefficients in the one dataset of a shard."""
    fresh = Shard(shard.y, shard.X, shard.n, shard.terms)
    return np.flatnonzero(random_columns(fresh)[0]).tolist()


def test_random_columns_are_those_that_vary_within_clusters():
    assert columns(golden("orthodont")) == [0, 1]
    assert columns(golden("sleepstudy")) == [0, 1]
    assert columns(golden("balanced-10x5-1.0")) == [0, 1, 2, 3]


def test_a_predictor_that_varies_within_one_cluster_is_random():
    shard = random_shard(1, 1, 4, 3, 5)
    shard.X[:, 2] = np.repeat([1.0, 2.0, 3.0, 4.0], 5)
    assert columns(shard) == [0, 1]
    shard.X[0, 2] = 7.0
    assert columns(shard) == [0, 1, 2]
    shard.X[:, 2] = 3e8 * shard.X[:, 1] * np.repeat([1.0, 2.0, 0.0, -4.0], 5)
    assert columns(shard) == [0, 1]


def test_the_formula_in_lme4s_notation():
    shard = random_shard(1, 1, 4, 3, 5)
    names = ["a", "b", "c"]
    assert formula(shard, names, [0, 1, 2]) == "y ~ 1 + b + c + (1 + b + c | cluster)"
    assert formula(shard, names, [0]) == "y ~ 1 + b + c + (1 | cluster)"
    bare = Shard(shard.y, shard.X, shard.n, ("x", "y", "z"))
    assert formula(bare, names, [1]) == "y ~ 0 + a + b + c + (0 + b | cluster)"


@pytest.mark.parametrize(("theta", "expected"), [(0.99e-4, True), (1.01e-4, False)])
def test_singular_is_a_diagonal_element_below_lme4s_tolerance(theta, expected):
    """Whichever of the three it is; the others are no matter."""
    for place in (0, 3, 5):
        elements = np.array([[1.0, 0.0, 0.0, 1.0, 0.0, 1.0]])
        elements[0, place] = theta
        assert is_singular(elements).tolist() == [expected]


def test_the_formula_has_a_term_for_each_random_coefficient():
    shard = random_shard(1, 1, 4, 3, 5)
    names = ["a", "b", "c"]
    assert formula(shard, names, [0, 2], correlated=False) == (
        "y ~ 1 + b + c + (1 | cluster) + (0 + c | cluster)"
    )


@pytest.mark.parametrize(("theta", "expected"), [(0.99e-4, True), (1.01e-4, False)])
def test_singular_is_any_of_the_diagonal(theta, expected):
    for place in range(3):
        elements = np.ones((1, 3))
        elements[0, place] = theta
        assert is_singular(elements, correlated=False).tolist() == [expected]


TERMS = ("(Intercept)", "age", "C(arm)[T.b]", "C(arm)[T.c [x]]", "C(arm)[T.b]:age", "poly(z, 2)[1]")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["(Intercept)", "age"], [0, 1]),
        (["age", "(Intercept)"], [0, 1]),
        (["C(arm)"], [2, 3]),
        (["C(arm)[T.b]"], [2]),
        (["C(arm):age", "poly(z, 2)"], [4, 5]),
        (["C(arm)[T.b]:age"], [4]),
        (["arm"], []),
        (["ag"], []),
    ],
)
def test_a_name_is_that_of_a_coefficient_or_of_a_term_with_all_its_coefficients(names, expected):
    assert np.flatnonzero(named_columns(names, TERMS)).tolist() == expected


def test_a_long_list_of_coefficients_is_cut():
    assert unknown_name(["age"], TERMS) == ""
    assert unknown_name(["age", "agee"], TERMS[:2]) == (
        "found 'agee' (did you mean 'age'?); the coefficients are (Intercept), age"
    )
    many = tuple(f"IV{number}" for number in range(1, 31))
    assert unknown_name(["w"], many).endswith("IV11, IV12 and 18 more")

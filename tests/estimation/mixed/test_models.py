from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.shard import Shard
from clustrategy.estimation.mixed.models import formula, is_singular, random_columns
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

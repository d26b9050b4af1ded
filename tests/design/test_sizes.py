"""Sizes of clusters, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clustrategy.core.shard import Shard
from clustrategy.design.sizes import sizes
from tests.design.golden_designs import nlswork


def of(*n: int) -> Shard:
    return Shard(np.zeros(sum(n)), np.ones((sum(n), 1)), np.array([n]), ("one",))


def test_by_hand():
    """Deviations -3, -2, 0 and 5 from a mean of 5: variance 38 / 3."""
    found = sizes(of(2, 3, 5, 10))
    assert found[:4] == (2, 4.0, 5.0, 10)
    assert found.cv == pytest.approx(math.sqrt(38 / 3) / 5, rel=1e-14)


@pytest.mark.filterwarnings("error")
def test_one_cluster_does_not_vary_and_equal_ones_by_nothing():
    assert math.isnan(sizes(of(4)).cv)
    assert sizes(of(4, 4, 4)).cv == 0.0


def test_the_example_of_summclust_for_stata():
    """https://github.com/mattdwebb/summclust: 35, 905, 1449.58, 5736 and 1.19."""
    found = sizes(nlswork().shard)
    assert found[:2] == (35, 905.0) and found.largest == 5736
    assert round(found.mean, 2) == 1449.58 and round(found.cv, 2) == 1.19

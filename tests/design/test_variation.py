"""Where predictors vary, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.shard import Shard
from clustrategy.design.variation import cluster_means, differs_within, variation
from tests.design.golden_designs import random_design, reordered
from tests.factors import factors
from tests.material import few

# Two clusters of 2 rows and one of 3.
SIZES = np.array([[2, 2, 3]])
COLUMNS = {
    "one": [1, 1, 1, 1, 1, 1, 1],
    "both": [0, 2, 3, 3, 1, 2, 3],
    "within": [-1, 1, 2, -2, 0, 0, 0],
    "between": [5, 5, 7, 7, 7, 7, 7],
    "treat": [1, 1, 0, 0, 1, 1, 1],
    "dummy": [1, 0, 1, 1, 0, 0, 1],
    "single": [0, 2, 0, 0, 0, 0, 0],
}


def by_hand() -> Shard:
    X = np.array(list(COLUMNS.values()), dtype=float).T
    return Shard(np.arange(7.0), X, SIZES, tuple(COLUMNS))


def test_by_hand():
    """`both`: means 1, 3 and 2, all 2; 2 + 2 of 2 + 2 + 2 + 2. `dummy`: 4/7; .5, 1 and 1/3."""
    found = variation(by_hand())
    assert found.varies_in.tolist() == [0, 2, 2, 0, 0, 2, 1]
    # `single`: 4 - 4/7 in all, of which 2 are within its cluster.
    dummy = 2 * (1 / 14) ** 2 + 2 * (3 / 7) ** 2 + 3 * (5 / 21) ** 2
    shares = [np.nan, 4 / 8, 0.0, 1.0, 1.0, dummy / (12 / 7), (10 / 7) / (24 / 7)]
    np.testing.assert_allclose(found.between_share, shares, rtol=1e-14)
    np.testing.assert_array_equal(found.treated, [np.nan] * 4 + [2, np.nan, np.nan])
    np.testing.assert_array_equal(found.untreated, [np.nan] * 4 + [1, np.nan, np.nan])


def test_means_and_which_clusters_differ_within():
    shard = by_hand()
    expected = [[1, 1, 0, 5, 1, 0.5, 1], [1, 3, 0, 7, 0, 1, 0], [1, 2, 0, 7, 1, 1 / 3, 0]]
    np.testing.assert_allclose(cluster_means(shard), expected, rtol=1e-15)
    within = differs_within(shard)
    np.testing.assert_array_equal(within[:, 1], [True, False, True])
    np.testing.assert_array_equal(within[:, 5], [True, False, True])
    assert not within[:, [0, 3, 4]].any()


def test_dummies_of_a_factor_count_the_clusters_of_their_level():
    """14 clusters that have u, v and w in turn; a, b and c within all of them."""
    shard = factors("unbalanced")
    found = variation(shard)
    by_term = dict(zip(shard.terms, found.treated, strict=True))
    rest = dict(zip(shard.terms, found.untreated, strict=True))
    assert (by_term["gv"], by_term["gw"], rest["gv"], rest["gw"]) == (5, 4, 9, 10)
    assert np.isnan([by_term["fb"], by_term["x"], by_term["(Intercept)"]]).all()
    assert found.varies_in.tolist() == [0, 14, 14, 0, 0, 14]


@few
@given(st.integers(0, 10**6))
def test_units_and_order(seed):
    shard = random_design(seed, p=4)
    order = np.random.default_rng(seed).permutation(shard.clusters)
    X = shard.X * [1.0, 1.0, 1e4, -1e-4] + [0.0, 0.0, 3e4, 0.0]
    ours = variation(reordered(Shard(shard.y, X, shard.n, shard.terms), order))
    known = variation(shard)
    np.testing.assert_array_equal(ours.varies_in, known.varies_in)
    np.testing.assert_allclose(ours.between_share, known.between_share, rtol=1e-10)
    np.testing.assert_array_equal(ours.treated, known.treated)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_shares_of_variance_have_no_units(unit):
    shard = by_hand()
    ours = variation(Shard(shard.y, shard.X * unit, shard.n, shard.terms))
    np.testing.assert_allclose(ours.between_share, variation(shard).between_share, rtol=1e-12)

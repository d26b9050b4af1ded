"""The tables of what a design can tell: by term, and by cluster."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustrategy.core.errors import DataError
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.design.description import by_cluster, by_term
from clustrategy.owndata.fit import fit
from tests.design.golden_designs import DESIGNS, random_design, shard_of
from tests.material import orthodont

TERMS = (INTERCEPT, "treat")


def three_schools() -> Shard:
    """Two untreated clusters of 2 rows, means 1.5 and 4.5, and a treated one of mean 6."""
    y = np.array([1.0, 2.0, 3.0, 6.0, 4.0, 8.0])
    X = np.column_stack([np.ones(6), np.repeat([0.0, 0.0, 1.0], 2)])
    return Shard(y, X, np.array([[2, 2, 2]]), TERMS)


def test_by_term_by_hand():
    """Estimates 3 and 3; without k 4.5 and 1.5, without l 1.5 and 4.5, without m 3 and none."""
    found = by_term(three_schools(), ["k", "l", "m"]).set_index("term")
    treat, intercept = found.loc["treat"], found.loc[INTERCEPT]
    assert (treat["varies_in"], treat["between_share"]) == (0, 1.0)
    assert (treat["treated_clusters"], treat["untreated_clusters"]) == (1, 2)
    np.testing.assert_allclose(treat["effective_clusters"], 9 * 2 / 9, rtol=1e-12)
    np.testing.assert_allclose(treat["effective_clusters_rho999"], 2.0, rtol=1e-12)
    np.testing.assert_allclose(treat["largest_partial_leverage"], 2 / 3, rtol=1e-12)
    assert treat["largest_partial_leverage_cluster"] == "m"
    np.testing.assert_allclose(treat["largest_influence"], -1.5, rtol=1e-12)
    assert treat["largest_influence_cluster"] == "k"
    assert (treat["indispensable_clusters"], intercept["indispensable_clusters"]) == (1, 0)
    np.testing.assert_allclose([treat["pooled_slope"], intercept["pooled_slope"]], 3.0, rtol=1e-12)
    assert np.isnan(treat[["within_slope", "between_slope", "mundlak_p_value"]].astype(float)).all()
    assert not treat["signs_differ"]


def test_what_is_not_estimated_without_a_cluster_has_no_change_however_small_the_others():
    shard = three_schools()
    found = by_term(Shard(0.01 * shard.y, shard.X, shard.n, TERMS), ["k", "l", "m"])
    np.testing.assert_allclose(found["largest_influence"], [0.015, -0.015], rtol=1e-10)
    assert found["largest_influence_cluster"].tolist() == ["k", "k"]


def test_influence_in_standard_errors_of_cr2():
    """Of the mean of clusters of one size CR2 is the variance of their means over G."""
    y = np.array([1.0, 3.0, 4.0, 6.0, 9.0, 7.0, 2.0, 0.0])
    shard = Shard(y, np.ones((8, 1)), np.array([[2, 2, 2, 2]]), (INTERCEPT,))
    row = by_term(shard, list("klmn")).iloc[0]
    means = np.array([2.0, 5.0, 8.0, 1.0])
    change = (means.sum() - 8.0) / 3 - means.mean()
    assert row["largest_influence_cluster"] == "m"
    np.testing.assert_allclose(row["largest_influence"], change, rtol=1e-12)
    std_error = means.std(ddof=1) / 2.0
    np.testing.assert_allclose(row["largest_influence_std_errors"], change / std_error, rtol=1e-12)


@pytest.mark.parametrize("name", DESIGNS)
def test_the_largest_are_those_of_r(name):
    shard, known = shard_of(name), DESIGNS[name]
    found = by_term(shard, known["clusters"])
    np.testing.assert_allclose(found["effective_clusters"], known["effective"], rtol=1e-9)
    strong = known["effective_rho999"]
    np.testing.assert_allclose(found["effective_clusters_rho999"], strong, rtol=1e-9)
    partial = np.array(known["partial"])
    change = np.array(known["without"]) - found["pooled_slope"].to_numpy()
    for column, values in [("largest_partial_leverage", partial), ("largest_influence", change)]:
        place = np.abs(values).argmax(axis=0)
        largest = values[place, np.arange(shard.p)]
        np.testing.assert_allclose(found[column], largest, rtol=1e-8, atol=1e-10)
        assert list(found[f"{column}_cluster"]) == [known["clusters"][at] for at in place]


def test_by_cluster_has_a_row_for_each_cluster_and_coefficient():
    found = by_cluster(three_schools(), ["k", "l", "m"])
    expected = pd.DataFrame(
        {
            "cluster": ["k", "k", "l", "l", "m", "m"],
            "rows": [2] * 6,
            "leverage": [0.5, 0.5, 0.5, 0.5, 1.0, 1.0],
            "term": list(TERMS) * 3,
            "partial_leverage": [1 / 2, 1 / 6, 1 / 2, 1 / 6, 0.0, 2 / 3],
            "estimate_without": [4.5, 1.5, 1.5, 4.5, 3.0, np.nan],
        }
    )
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-12)


def test_one_cluster_has_all_of_it_and_nothing_is_left_without_it():
    shard = random_design(4, clusters=2)
    shard = Shard(shard.y, shard.X, shard.n.sum(axis=1, keepdims=True), shard.terms)
    found = by_term(shard, ["only"])
    assert (found["largest_partial_leverage_cluster"] == "only").all()
    assert found["largest_influence_cluster"].isna().all()
    assert found["largest_influence"].isna().all()
    assert (found["indispensable_clusters"] == 1).all()
    assert by_cluster(shard, ["only"])["estimate_without"].isna().all()


@pytest.mark.filterwarnings("error")
def test_where_products_lose_digits_what_needs_none_is_still_said():
    shard = random_design(4)
    shard = Shard(shard.y * 1e160, shard.X, shard.n, shard.terms)
    found = by_term(shard, list("abcdefg"))
    assert found["treated_clusters"].tolist()[1] == 3 and found["varies_in"].tolist() == [0, 0, 7]
    numbers = found[["effective_clusters", "largest_partial_leverage", "largest_influence"]]
    assert numbers.isna().all(axis=None) and found["pooled_slope"].isna().all()
    assert found["largest_partial_leverage_cluster"].isna().all()
    assert by_cluster(shard, list("abcdefg"))["partial_leverage"].isna().all()


@pytest.mark.parametrize("table", [by_term, by_cluster])
def test_dependent_predictors_are_named(table):
    shard = random_design(4)
    X = np.column_stack([shard.X, shard.X[:, 1]])
    shard = Shard(shard.y, X, shard.n, (*shard.terms, "again"))
    with pytest.raises(DataError, match="^the predictors are linearly dependent: 'again' is a"):
        table(shard, list("abcdefg"))


def test_the_order_of_rows_does_not_matter_even_where_clusters_are_alike():
    """Boys all have one design, girls another: which has the most is not for rounding to say."""
    data = orthodont()
    mixed = data.sample(frac=1.0, random_state=1)
    tables = []
    for one in (data, mixed):
        found = fit(one, "distance ~ age * Sex", cluster="Subject", strategies=["ols"])
        tables.append((found.design(), found.leverage()))
    for one, other in zip(*tables, strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-9, atol=1e-12)

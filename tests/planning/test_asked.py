import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy import plan
from clustrategy.core.errors import ConfigError
from clustrategy.dgp.arms import is_treated
from clustrategy.planning.asked import asked

GOOD = {"rows": 12, "icc": 0.1, "effect": 0.3}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"clusters": 1}, "clusters must be a whole number from 2 to 100,000, or [fewest, most]"),
        ({"clusters": [1, 8]}, "the 1st value of clusters must be at least 2, found 1"),
        ({"clusters": [80, 10]}, "clusters must be [fewest, most], found [80, 10]"),
        ({"rows": 0}, "rows must be a whole number from 1 to 1,000,000, or [fewest, most], found"),
        ({"rows": [40, 5], "cost_cluster": 1, "cost_row": 1}, "rows must be [fewest, most], found"),
        ({"rows": None}, "rows, of a cluster, are not there"),
        ({"icc": 1}, "icc must be less than 1, found 1"),
        ({"icc": -0.1}, "icc must be at least 0, found -0.1"),
        ({"icc": None}, "icc is not there: name it, or sigma_between"),
        ({"sigma_between": 1}, "icc and sigma_between are two ways to say one thing"),
        ({"sigma_slope": 0.1}, "sigma_slope needs a treatment within clusters"),
        ({"effect": 0}, "effect must be greater than 0, found 0"),
        ({"effect": -0.3}, "effect must be greater than 0, found -0.3"),
        ({"effect": float("nan")}, "effect must be a number, found nan"),
        ({"power": 1}, "power must be less than 1, found 1"),
        ({"power": 0.03}, "power must be more than alpha, 0.05, found 0.03"),
        ({"cost_cluster": 0, "cost_row": 1}, "cost_cluster must be greater than 0, found 0"),
        ({"cost_row": 5}, "cost_row goes with cost_cluster, which is not there"),
        ({"rows": [5, 40]}, "rows from 5 to 40 need cost_cluster and cost_row"),
        ({"size_cv": 0.5, "rows": 1}, "size_cv above 0 needs rows of at least 2, found 1"),
        (
            {"treated": 0.05, "clusters": [8, 40]},
            "a share of 0.05 of 8 clusters leaves an arm without a cluster; take at least 10",
        ),
        (
            {"treated": 0.95, "clusters": [8, 40]},
            "a share of 0.95 of 8 clusters leaves an arm without a cluster; take at least",
        ),
        (
            {"treatment": "within", "rows": 1},
            "a share of 0.5 of 1 row leaves an arm without a row; take at least 2 rows",
        ),
        ({"rows": 1_000_000}, "clusters of 100 and rows of 1,000,000 make 100,000,000 rows"),
        (
            {"treatment": "betwen"},
            "treatment must be one of between, within, found 'betwen' (did you mean",
        ),
        ({"cluters": 5}, "unknown key 'cluters' (did you mean 'clusters'?)"),
        ({"formula": "y ~ x"}, "formula needs a table whose clusters are resampled: 'like'"),
        ({"scenario": "estimated"}, "scenario needs a table"),
        ({"sims": 5}, "sims must be at least 100, found 5"),
        ({"strategies": "two-stge"}, "unknown strategy 'two-stge' (did you mean 'two_stage'?)"),
        ({"effect": 30}, "effect must be at most 10 standard deviations of the response, found 30"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(settings, sentence):
    with pytest.raises(ConfigError) as caught:
        plan(**{**GOOD, **settings})
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_effect_is_not_to_be_left_out():
    with pytest.raises(ConfigError, match="the plan lacks the key 'effect'"):
        plan(rows=12, icc=0.1)


def test_numpy_numbers_are_numbers():
    wanted = asked({**GOOD, "clusters": np.array([8, 20]), "icc": np.float64(0.25)}, like=False)
    assert wanted.clusters == (8, 20)
    assert wanted.sigmas == (0.5, 0.75**0.5)


def test_standard_deviations_in_place_of_an_icc():
    wanted = asked({"rows": 4, "effect": 1, "sigma_between": 2.0}, like=False)
    assert wanted.sigmas == (2.0, 1.0)


def test_a_strategy_that_is_not_known_to_be_equivariant_is_refused():
    from clustrategy.strategies import strategy
    from clustrategy.strategies.registry import REGISTERED

    @strategy("odd_one")
    def odd_one(shard):
        raise AssertionError

    try:
        with pytest.raises(ConfigError, match="'odd_one' is not known to be equivariant"):
            plan(**GOOD, strategies="odd_one")
    finally:
        del REGISTERED["odd_one"]


@given(st.integers(1, 300), st.floats(0.01, 0.99))
def test_the_treated_are_the_share_nearest_to_that_asked_for(units, share):
    treated = is_treated(np.arange(units), share)
    assert set(treated) <= {0.0, 1.0}
    assert treated.sum() == np.floor(units * share + 0.5)

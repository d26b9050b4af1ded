import numpy as np
import pandas as pd
import pytest

from clustrategy import plan
from tests.planning.closed_forms import needed, power

SMALL = {"sims": 1_000, "strategies": "two-stage"}
FEW = {"sims": 400, "strategies": "two-stage"}
OLS = {"strategy": "ols", "name": "OLS"}


def of(found, column):
    return found.table().set_index("strategy")[column]


PUBLISHED = {
    # R package clusterPower 0.7 (Kleinman, Moyer, Reich et al.), help of cpa.normal: "greater than
    # 15 [per condition], suggests 16".
    "clusterPower": ({"rows": 10, "sigma_between": 0.5**0.5, "sigma_residual": 4.5**0.5}, 1.0, 32),
    # Its tests: the NIH Research Methods calculator and PASS 11 have 5 per arm, and 150 rows for 5.
    "NIH and PASS": ({"rows": 150, "icc": 0.05}, 0.4804988, 10),
    # R package WebPower 0.9 (Zhang & Mai), help of wp.crt2arm (Raudenbush 1997, Psychological
    # Methods 2, 173-185): 10 clusters need 16.03 rows.
    "WebPower, clusters": ({"rows": 17, "icc": 0.1}, 0.8, 10),
    # Help of wp.mrt2arm: 20 sites need 23.1 rows; the effect is in residual standard deviations.
    "WebPower, sites": (
        {
            "rows": 24,
            "sigma_between": 1.0,
            "sigma_slope": 0.5**0.5,
            "sigma_residual": 1.25**0.5,
            "treatment": "within",
        },
        0.5 * 1.25**0.5,
        20,
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_numbers_of_clusters(name):
    design, effect, clusters = PUBLISHED[name]
    (answer,) = plan(**design, effect=effect, clusters=(6, 40), **FEW).answers
    low, high = answer.interval
    assert low <= clusters <= high
    assert answer.where == "within"
    assert high - low <= 0.2 * clusters + 1


@pytest.mark.parametrize(
    ("design", "effect", "clusters", "published"),
    [
        ({"rows": 20, "icc": 0.1}, 0.6, 10, 0.5901684),
        ({"rows": 100, "icc": 0.1}, 0.6, 10, 0.7118967),
    ],
)
def test_published_powers(design, effect, clusters, published):
    # WebPower, help of wp.crt2arm.
    (answer,) = plan(**design, effect=effect, clusters=clusters, **SMALL).answers
    assert answer.where == "none"
    assert abs(answer.power.value - published) < 4 * answer.power.mcse


def test_a_share_of_a_quarter_and_rows_of_which_three_in_ten_are_treated():
    for design in (
        {"rows": 8, "icc": 0.2, "treated": 0.25},
        {
            "rows": 10,
            "sigma_between": 0.5,
            "sigma_slope": 0.4,
            "treatment": "within",
            "treated": 0.3,
        },
    ):
        found = plan(**design, effect=0.8, clusters=(8, 50), **FEW)
        low, high = found.answers[0].interval
        exact = needed(found.trials.population, 0.8)
        # With shares that clusters do not divide by, the power goes up and down.
        assert low - 2 <= exact <= high + 2


def test_power_where_it_is_searched_for_is_power_in_closed_form():
    found = plan(rows=12, icc=0.1, effect=0.5, clusters=(10, 60), **SMALL)
    curves = found.curves()
    exact = [power(found.trials.population, G, 0.5) for G in curves["clusters"]]
    error = (curves["conf_high"] - curves["conf_low"]) / 3.92
    assert (np.abs(curves["power"] - exact) < 4 * error).all()
    one = found.answers[0]
    middle, low, high = one.curve.power(np.array([float(one.at)]))
    assert low[0] - 0.005 < power(found.trials.population, one.at, 0.5) < high[0] + 0.005


def test_a_strategy_that_does_not_hold_its_level_has_no_sample_size():
    found = plan(
        rows=20, icc=0.2, effect=0.8, clusters=(8, 40), strategies=[OLS, "two-stage"], sims=1_000
    )
    assert found.recommended.strategy == "two-stage"
    assert list(found.table()["strategy"]) == ["two-stage", "OLS"]
    assert pd.isna(of(found, "clusters")["OLS"])
    assert of(found, "verdict")["OLS"] == "liberal"
    assert "OLS has no sample size: it does not keep its level" in found.words.answer[-1]


def test_where_none_holds_none_is_recommended():
    found = plan(rows=20, icc=0.2, effect=0.8, clusters=(8, 20), strategies=[OLS], sims=500)
    assert found.recommended is None
    assert found.words.title == "No strategy is known to keep its level"
    assert "None of the strategies keeps its level here" in found.words.answer[0]


def test_where_nothing_is_decided_more_studies_are_asked_for():
    found = plan(rows=8, icc=0.02, effect=1.0, clusters=12, strategies=[OLS], sims=100)
    assert found.recommended is None
    assert found.words.answer[0].startswith("It is not decided whether any strategy keeps its")
    said = found.words.answer[1]
    assert said.startswith("Whether OLS keeps its level with 12 clusters is not decided")


def test_an_answer_beyond_the_range_is_said_and_how_far():
    found = plan(rows=10, icc=0.1, effect=0.4, clusters=(8, 30), **SMALL)
    exact = needed(found.trials.population, 0.4)
    (answer,) = found.answers
    assert answer.where == "above"
    assert answer.clusters is None
    assert answer.at == 30
    assert answer.needed.low < exact < answer.needed.high
    assert found.words.answer[0].startswith("30 clusters, the most searched, are not enough")
    assert f"it needs about {int(np.ceil(answer.needed.value))} (" in found.words.answer[0]


def test_an_answer_below_the_range_is_said():
    found = plan(rows=10, icc=0.1, effect=1.5, clusters=(20, 40), **SMALL)
    (answer,) = found.answers
    assert (answer.where, answer.clusters) == ("below", 20)
    assert found.words.answer[0].startswith("20 clusters, the fewest searched, are enough")
    assert found.words.title == "At most 20 clusters for a power of 80 %"


def test_the_same_seed_has_the_same_numbers_and_another_has_others():
    settings = {"rows": 8, "icc": 0.1, "effect": 1.0, "clusters": (6, 20), "sims": 100}
    first, again, other = (
        plan(**settings, strategies="two-stage", seed=seed).table() for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_the_level_and_the_power_asked_for_count():
    usual, strict, strong = (
        plan(
            rows=8, icc=0.1, effect=1.0, clusters=(6, 40), sims=200, strategies="two-stage", **more
        )
        .answers[0]
        .at
        for more in ({}, {"alpha": 0.01}, {"power": 0.95})
    )
    assert usual < strict
    assert usual < strong


def test_the_text_says_first_what_to_do():
    text = str(plan(rows=12, icc=0.1, effect=0.6, clusters=(8, 60), **SMALL))
    assert text.startswith("Plan for ")
    assert "strategy" in text
    assert "Hedges' δ_T" in text

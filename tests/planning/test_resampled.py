import numpy as np
import pandas as pd
import pytest

from clustrategy import plan
from clustrategy.core.errors import ClustrategyError, ConfigError, RowsLeftOut
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.design.from_table import design_from_table
from clustrategy.dgp.given import GivenProcess
from clustrategy.planning.described import Described
from clustrategy.planning.resampled import Resampled
from tests.planning.closed_forms import power


def table(clusters=8, seed=1):
    rng = np.random.default_rng(seed)
    n = rng.integers(3, 9, clusters)
    school = np.repeat(np.arange(clusters), n)
    treat = (school % 4 == 0).astype(float)
    age = rng.normal(size=school.size)
    score = 3 * rng.normal(size=clusters)[school] + age + 5 * rng.normal(size=school.size)
    return pd.DataFrame({"school": school, "treat": treat, "age": age, "score": score})


def process(data, sigma=1.0):
    n = data.groupby("school").size().to_numpy()
    X = np.column_stack([np.ones(len(data)), data["treat"], data["age"]])
    shard = Shard(np.zeros(len(data)), X, n[None, :], ("(Intercept)", "treat", "age"))
    return GivenProcess(shard, ("(Intercept)",), np.array([[0.25]]), sigma)


def blocks(shard, sim):
    one = shard.dataset(sim)
    ends = np.cumsum(one.n[0])[:-1]
    return [block.tobytes() for block in np.split(np.array(one.X), ends)]


def test_clusters_are_those_of_the_table_and_arms_keep_their_share():
    data = table()
    population = Resampled(process(data), "treat", "estimated")
    own = set(blocks(population.process.shard, 0))
    drawn = population.draw(12, 1, range(40))
    seen = [block for sim in range(40) for block in blocks(drawn, sim)]
    assert set(seen) == own  # 480 draws of 8 clusters
    firsts = np.cumsum(drawn.n.reshape(-1)) - drawn.n.reshape(-1)
    treated = drawn.X[firsts, 1].reshape(40, 12).sum(axis=1)
    assert (treated == 3).all()  # 2 of 8 in the table


def test_without_arms_clusters_come_from_all_alike():
    population = Resampled(process(table()), "age", "estimated")
    assert population.varies_within
    drawn = population.draw(8, 1, range(400))
    firsts = np.cumsum(drawn.n.reshape(-1)) - drawn.n.reshape(-1)
    treated = drawn.X[firsts, 1].reshape(400, 8).sum(axis=1)
    assert abs(treated.mean() - 2) < 4 * np.sqrt(8 * 0.25 * 0.75 / 400)
    assert treated.std() > 0.5


def test_each_cluster_keeps_its_residual_variance():
    data = table()
    sigmas = np.where(np.arange(8) == 3, 40.0, 0.001)
    population = Resampled(process(data, sigmas), "age", "variance_by_cluster")
    wild = blocks(population.process.shard, 0)[3]
    drawn = population.draw(8, 1, range(20))
    for sim in range(20):
        one = drawn.dataset(sim)
        parts = np.split(one.y, np.cumsum(one.n[0])[:-1])
        for block, y in zip(blocks(drawn, sim), parts, strict=True):
            assert (y.std() > 1.0) == (block == wild)


def test_a_study_is_the_same_whatever_stands_beside_it():
    population = Resampled(process(table()), "treat", "estimated")
    together, alone = population.draw(6, 1, range(4)), population.draw(6, 1, [3])
    assert (together.dataset(3).y == alone.y).all()
    assert (together.dataset(3).X == alone.X).all()


def test_power_on_equal_clusters_is_that_in_closed_form():
    school = np.repeat(np.arange(4), 6)
    treat = (school % 2).astype(float)
    shard = Shard(
        np.zeros(24),
        np.column_stack([np.ones(24), treat]),
        np.full((1, 4), 6),
        ("(Intercept)", "treat"),
    )
    given = GivenProcess(shard, ("(Intercept)",), np.array([[0.3]]), 1.0)
    from clustrategy.evaluation.cell_verdicts import Rules
    from clustrategy.planning.strategies import strategies_for
    from clustrategy.planning.trials import Trials

    population = Resampled(given, "treat", "estimated")
    assert population.total_sd == pytest.approx(1.3**0.5)
    (two_stage,) = strategies_for(["two-stage"], within=False, engine=None, design=None)
    trials = Trials(population, {"two-stage": two_stage}, 1.0, Rules(), 2)
    trials.extend(14, ["two-stage"], 600)
    same = Described(6, 0.0, "between", 0.5, 0.3**0.5, 0.0, 1.0)
    found = trials.power("two-stage", 14)
    assert abs(found.value - power(same, 14, 1.0)) < 4 * found.mcse


def test_a_plan_like_a_table_is_in_units_of_the_response():
    found = plan(
        table(),
        "score ~ treat + age",
        cluster="school",
        effect=8.0,
        clusters=12,
        strategies="two-stage",
        sims=100,
    )
    assert found.trials.population.term == "treat"
    assert "in units of the response per unit of it" in found.words.notes[0]
    assert "8 with " in found.words.notes[0]


def test_coefficients_between_clusters_take_degrees_of_freedom():
    assert Resampled(process(table()), "treat", "estimated").lost == 2
    assert Resampled(process(table()), "age", "estimated").lost == 1
    assert Described(6, 0.0, "between", 0.5, 0.5, 0.0, 1.0).lost == 2
    assert Described(6, 0.0, "within", 0.5, 0.5, 0.0, 1.0).lost == 1


def test_rows_that_are_left_out_are_said():
    data = table()
    data.loc[2, "age"] = np.nan
    with pytest.warns(RowsLeftOut, match="1 of .* rows of the data are left out") as caught:
        found = plan(data, "score ~ age", cluster="school", effect=3.0, clusters=8, sims=100)
    assert caught[0].filename == __file__
    assert "they have no value in age." in found.words.notes[0]


def test_bars_name_the_clusters_and_the_random_effects():
    found = plan(table(), "score ~ age + (1 | school)", effect=3.0, clusters=12, sims=100)
    assert found.answers[0].strategy == "mixed as given Kenward-Roger"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"term": "tret"},
            "term must be one of the coefficients treat, age, found 'tret' (did you",
        ),
        ({"scenario": "uper_95"}, "scenario must be one of estimated, "),
        ({"scenario": "autocorrelated"}, "scenario 'autocorrelated' is none of this table's"),
        ({"rows": 4}, "rows does not go with a table, whose clusters say it"),
        ({"icc": 0.1}, "icc does not go with a table"),
        ({"treated": 0.3}, "treated does not go with a table"),
        ({"effect": 500.0}, "effect must be at most 10 standard deviations of the response, found"),
        ({"formula": None}, "a table needs the formula by which it is read"),
        ({"formula": "score ~ 1"}, "has no coefficient to plan for"),
        ({"cluster": "shool"}, "the data have no column 'shool' for the clusters (did you mean"),
    ],
)
def test_refusals(settings, sentence):
    own = {"formula": "score ~ treat + age", "cluster": "school", "effect": 2.0, **settings}
    with pytest.raises(ClustrategyError) as caught:
        plan(table(), **own)
    assert sentence in str(caught.value)


def test_an_arm_has_a_cluster_and_a_study_no_more_rows_than_are_taken():
    data = table(14)
    data["treat"] = (data["school"] == 5).astype(float)
    asked = {"formula": "score ~ treat + age", "cluster": "school", "effect": 2.0}
    sentence = "clusters must be at least 7, as an arm of 'treat' has 1 cluster of the table's 14"
    with pytest.raises(ConfigError, match=f"{sentence}, found 6"):
        plan(data, **asked)
    with pytest.raises(ConfigError, match="clusters of 100,000, each with 352 rows as in the"):
        plan(pd.concat([table()] * 60), **{**asked, "clusters": (8, 100_000)})


def test_three_arms_keep_their_shares():
    """Of 12 clusters 6, 4 and 2 have each arm; of 7 that is 3.5, 2.33 and 1.17."""
    arm = np.repeat([0, 1, 2], [6, 4, 2])
    g = np.repeat(np.arange(12), 3)
    data = pd.DataFrame({"g": g, "arm": np.array(["a", "b", "c"])[arm[g]]})
    data["y"] = np.random.default_rng(1).normal(size=g.size)
    shard = design_from_table(data, "y ~ arm", "g").shard
    given = GivenProcess(shard, (INTERCEPT,), np.array([[0.5]]), 1.0)
    category = ("arm[T.b]", "arm[T.c]")
    population = Resampled(given, "arm[T.b]", "estimated", category=category)
    assert population.in_arms(6) == [3, 1, 2]  # a, c, b
    assert population.in_arms(7) == [4, 1, 2]
    X = population.draw(24, 1, range(3)).X
    starts = np.arange(0, len(X), 3)
    counts = X[starts].reshape(3, 24, 3).sum(axis=1)
    assert counts.tolist() == [[24.0, 8.0, 4.0]] * 3

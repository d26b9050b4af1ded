import numpy as np

from clustrategy import plan
from clustrategy.planning.costs import Costs, Pair, cheapest
from clustrategy.planning.described import Described
from tests.planning.closed_forms import needed

COSTS = Costs(200.0, 5.0)


def exact(rows, effect=0.4, icc=0.1):
    return needed(Described(rows, 0.0, "between", 0.5, icc**0.5, 0.0, (1 - icc) ** 0.5), effect)


def test_the_cheapest_pair_is_that_of_all_pairs_in_closed_form():
    all_pairs = {rows: COSTS.of(exact(rows), rows) for rows in range(5, 41)}
    found = cheapest({rows: exact(rows) for rows in (5, 8, 14, 24, 40)}, COSTS, (5, 40), (6, 100))
    # The costs are flat about their least: 19 rows by the rule of Raudenbush (1997), the root of
    # 200 / 5 times 0.9 / 0.1.
    assert 12 <= found.rows <= 26
    assert all_pairs[found.rows] <= 1.04 * min(all_pairs.values())
    assert abs(found.clusters - exact(found.rows)) <= 1
    assert found.cost == COSTS.of(found.clusters, found.rows)


def test_the_cheapest_pair_stays_in_both_ranges():
    few = {5: 90.0, 40: 30.0}
    assert cheapest(few, Costs(1.0, 1000.0), (5, 40), (6, 100)).rows == 5
    assert cheapest(few, Costs(1.0, 1000.0), (5, 40), (6, 60)).clusters <= 60
    assert cheapest(few, Costs(1000.0, 1.0), (5, 40), (6, 100)).rows == 40
    assert cheapest(few, COSTS, (5, 40), (6, 20)) is None
    assert cheapest({5: np.inf}, COSTS, (5, 40), (6, 20)) is None
    assert cheapest({5: 3.0}, COSTS, (5, 40), (6, 20)) == Pair(6, 5, 6 * 225.0)


def test_a_plan_takes_the_cheapest_rows():
    found = plan(
        rows=(5, 40),
        icc=0.1,
        effect=1.0,
        clusters=(6, 30),
        cost_cluster=200,
        cost_row=5,
        strategies="two-stage",
        sims=100,
    )
    all_pairs = {rows: COSTS.of(exact(rows, 1.0), rows) for rows in range(5, 41)}
    rows = found.trials.population.rows
    assert all_pairs[rows] <= 1.2 * min(all_pairs.values())
    costs = found.costs()
    assert list(costs["rows"]) == [5, 8, 14, 24, 40]
    assert (costs["cost"] == costs["clusters"] * (200 + 5 * costs["rows"])).all()


def test_costs_of_given_rows_are_said():
    found = plan(
        rows=10,
        icc=0.1,
        effect=0.9,
        clusters=(6, 40),
        cost_cluster=100,
        cost_row=2,
        strategies="two-stage",
        sims=1_000,
    )
    assert f"That costs {found.answers[0].at} × (100 + 10 × 2.00)" in found.words.answer[1]

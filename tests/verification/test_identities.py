"""Numbers that two strategies share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clustrategy.engines.chosen import Strategy
from clustrategy.verification.identities import Fitted, identities
from clustrategy.verification.judgement import judge
from tests.verification.studies import CELLS, STRATEGIES, fitted


@pytest.mark.parametrize(
    ("label", "measure", "statement"),
    [
        ("CR1", "estimate", "CR1, CR2, CV3 = two-stage"),
        ("CR1", "df", "CR1, CR2, CV3 = two-stage"),
        ("CR3", "std_error", "jackknife = (G - 1)/G CR3"),
    ],
)
def test_one_dataset_in_fifty_is_enough(label: str, measure: str, statement: str) -> None:
    right = fitted()
    table = judge([identities(CELLS[1], STRATEGIES, right)])
    assert set(table["verdict"]) == {"agrees"}
    assert table["n"].eq(50).all()
    getattr(right[label], measure)[17, 2] *= 1 + 1e-6
    wrong = judge([identities(CELLS[1], STRATEGIES, right)])
    assert set(wrong.loc[wrong["verdict"] == "differs", "statement"]) == {statement}
    right[label].regular[17] = False
    again = judge([identities(CELLS[1], STRATEGIES, right)])
    assert set(again["verdict"]) == {"agrees"}


# The statements on each strategy, with the numbers that it shares: estimate, std_error, df.
JACKKNIFE = {"jackknife = (G - 1)/G CR3": 2}
LIKE_GEE = {"GEE = least squares": 2}
CR2 = {"mixed, CR2 = least squares, CR2": 3}
CR1 = "CR1, CR2, CV3 = two-stage"
MEANS = "mixed = t test on means"
SHARED: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    # Label: between clusters, within clusters.
    "ols": ({}, {}),
    "CR0": ({}, {}),
    "CR1": ({}, {CR1: 3}),
    "CR1 z": ({}, {CR1: 2}),
    "CR2 G-1": ({}, {CR1: 3}),
    "CR2": ({}, {CR1: 3}),
    "CR3": ({}, {}),
    "CV3": (JACKKNIFE, JACKKNIFE | {CR1: 3}),
    "fixed_effects": ({}, {"fixed effects = least squares": 1}),
    "gee": (LIKE_GEE, LIKE_GEE),
    "GEE MD": (LIKE_GEE, LIKE_GEE),
    "GEE FG": ({}, {}),
    "sign flips": ({}, {}),
    "weighted": ({}, {}),
    "two_stage": ({}, {}),
    "mixed_intercept": ({MEANS: 3}, {}),
    "mixed_intercept z": ({MEANS: 2}, {}),
    "mixed_intercept CR2": (CR2, CR2),
    "mixed_maximal": ({MEANS: 3}, {"mixed maximal = two-stage": 3}),
    "mixed_maximal CR2": (CR2, CR2),
}
ENTRIES = {
    **{f"CR{k}": {"variance": f"CR{k}"} for k in (0, 1, 3)},
    "CR1 z": {"variance": "CR1", "df": "normal"},
    "CR2 G-1": {"variance": "CR2"},
    "CR2": {"variance": "CR2", "df": "satterthwaite"},
    "CV3": {"variance": "CV3"},
    "GEE MD": {"strategy": "gee", "variance": "mancl_derouen"},
    "GEE FG": {"strategy": "gee", "variance": "fay_graubard"},
    "sign flips": {"strategy": "two_stage", "test": "sign_flip"},
    "weighted": {"strategy": "two_stage", "weights": "precision"},
    "mixed_intercept z": {"strategy": "mixed_intercept", "df": "normal"},
    "mixed_intercept CR2": {"strategy": "mixed_intercept", "variance": "CR2"},
    "mixed_maximal CR2": {"strategy": "mixed_maximal", "variance": "CR2"},
}


def parsed(label: str) -> Strategy:
    if label not in ENTRIES:
        return Strategy.parse(label)
    return Strategy.parse({"strategy": "cluster_robust", **ENTRIES[label], "name": label})


def what_is_right(label: str) -> Fitted:
    """The same numbers by all, but where they have to differ or are of no account."""
    rng = np.random.default_rng(7)
    estimate, std_error = rng.standard_normal((20, 3)), rng.uniform(0.5, 2, (20, 3))
    df = np.full((20, 3), np.inf if label.endswith(" z") else 14.0)
    factor = {"CR0": 0.9, "gee": 0.9, "CR3": (15 / 14) ** 0.5, "GEE MD": (15 / 14) ** 0.5}
    fitted_so = Fitted(estimate, std_error * factor.get(label, 1.0), df, np.ones(20, dtype=bool))
    if label in ("sign flips", "weighted", "ols", "CR2 G-1"):
        return replace(fitted_so, df=df + (label != "CR2 G-1"))
    return fitted_so


def test_each_strategy_is_held_against_all_that_shares_its_numbers() -> None:
    """Listed by hand; those that come first in a study are not the ones that share them."""
    strategies = [parsed(label) for label in SHARED]
    numbers = {label: what_is_right(label) for label in SHARED}
    for cell, place in zip(CELLS, (0, 1), strict=True):
        table = identities(cell, strategies, numbers)
        assert table.value_counts(["strategy", "statement"]).to_dict() == {
            (label, statement): count
            for label, shared in SHARED.items()
            for statement, count in shared[place].items()
        }
        assert table["found"].max() < 1e-14
        assert set(judge([table])["verdict"]) == {"agrees"}


def test_where_one_side_has_no_regular_fit_there_is_nothing_to_compare() -> None:
    nothing = fitted()
    nothing["two_stage"].regular[:] = False
    table = identities(CELLS[1], STRATEGIES, nothing)
    mine = table[table["statement"].eq(CR1)]
    assert mine["n"].eq(0).all() and mine["found"].eq(0).all() and len(mine)

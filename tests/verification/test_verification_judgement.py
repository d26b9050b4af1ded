"""The verdict of the verification: what it lets pass and what it finds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustrategy.verification.judgement import bound, judge, worst
from tests.verification.studies import SIMS, study, verdicts


def test_a_study_that_finds_what_is_known_agrees() -> None:
    table = verdicts(study())
    assert (table["verdict"] == "agrees").all()
    assert worst(table) is None
    assert set(table["kind"]) == {"exact", "published", "identity"}
    assert table.loc[table["kind"] == "exact", "z"].abs().max() == 0
    # 1.8 million datasets by others and 20,000 here: .08248 beside .08232.
    row = table[(table["kind"] == "published") & (table["treatment"] == "between")].iloc[0]
    p, mine, theirs = 0.08248, 20_000, 1_800_000
    assert row["z"] == pytest.approx(
        (row["found"] - p) / np.sqrt(p * (1 - p) * (1 / mine + 1 / theirs))
    )
    assert abs(row["z"]) < 0.1


def test_rates_of_another_variance_are_found_out() -> None:
    """CR0's rates in the place of CR1's."""
    performance = study()
    rates = performance["measure"].isin(["rejection_rate", "coverage"])
    cr0, cr1 = (performance["strategy"].eq(name) & rates for name in ("CR0", "CR1"))
    performance.loc[cr1, "value"] = performance.loc[cr0, "value"].to_numpy()
    table = verdicts(performance)
    wrong = table[table["verdict"] == "differs"]
    assert set(wrong["strategy"]) == {"CR1"}
    assert {"exact", "published"} == set(wrong["kind"])
    row = worst(table)
    assert row is not None
    assert row["strategy"] == "CR1"
    assert abs(row["z"]) == wrong["z"].abs().max() > bound(int(table["z"].notna().sum()))


@pytest.mark.parametrize(
    ("measure", "factor"),
    [("empirical_se", 1.03), ("variance_ratio", 1.08), ("interval_width", 0.98)],
)
def test_a_few_percent_are_found_out(measure: str, factor: float) -> None:
    performance = study()
    mine = (performance["measure"] == measure) & (performance["strategy"] == "two_stage")
    performance.loc[mine, "value"] *= factor
    table = verdicts(performance)
    assert set(table.loc[table["verdict"] == "differs", "measure"]) == {measure}


def test_lost_datasets_are_found_out() -> None:
    performance = study()
    performance.loc[performance["strategy"] == "CR3", "n"] = SIMS - 1
    wrong = worst(verdicts(performance))
    assert wrong is not None
    assert (wrong["strategy"], wrong["statement"]) == ("CR3", "every fit is usable")


def test_the_bound_is_bonferronis() -> None:
    assert bound(1) == pytest.approx(2.5758, abs=1e-4)
    assert bound(1000) == pytest.approx(4.4172, abs=1e-4)


def test_a_tolerance_is_widened_by_three_monte_carlo_errors() -> None:
    found = 0.2 + np.array([0.0599, -0.0599, 0.0601, -0.0601])
    row = {"kind": "approximate", "expected": 0.2, "tolerance": 0.03, "mcse": 0.01}
    table = judge([pd.DataFrame(), pd.DataFrame({"found": found}).assign(**row)])
    assert table["verdict"].tolist() == ["agrees", "agrees", "differs", "differs"]


def test_without_scores_the_worst_is_the_most_often_over_its_tolerance() -> None:
    rows = pd.DataFrame(
        {
            "kind": "identity",
            "strategy": ["A", "B", "C"],
            "expected": 0.0,
            "found": [1e-4, 1e-7, 0.5],
            "tolerance": [1e-5, 1e-10, 1.0],
        }
    )
    row = worst(judge([rows]))
    assert row is not None and row["strategy"] == "B", "a thousand times, and not ten"

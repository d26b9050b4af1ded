"""The verdict of the verification: what it lets pass and what it finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.colors import to_rgb

from clustrategy.core.errors import DataError
from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy
from clustrategy.figures.verification import WRONG, verification
from clustrategy.steps.verification import report
from clustrategy.verification.expected import (
    Cell,
    approximate,
    arms,
    bound,
    complete,
    errors,
    exact,
    has_one_predictor,
    judge,
    known,
    worst,
)
from clustrategy.verification.identities import Fitted, identities
from clustrategy.verification.published_rates import published

SIMS = 20_000
RED = to_rgb(WRONG)
BETWEEN = Process(15, 6, 1.0, 2, [0, 0, 0.6], 1.0, treatment="between", arms=3)
CELLS = [
    Cell({"clusters": 15, "treatment": "between"}, BETWEEN),
    Cell({"clusters": 15, "treatment": "within"}, replace(BETWEEN, treatment="within")),
]
STRATEGIES = [
    Strategy.parse(entry)
    for entry in (
        "ols",
        {"strategy": "cluster_robust", "name": "CR0", "variance": "CR0"},
        {"strategy": "cluster_robust", "name": "CR1", "variance": "CR1"},
        {"strategy": "cluster_robust", "name": "CR3", "variance": "CR3"},
        {"strategy": "cluster_robust", "name": "CV3", "variance": "CV3"},
        "two_stage",
        "mixed_intercept",
    )
]


def study(cells: list[Cell] = CELLS) -> pd.DataFrame:
    """The performance of a study that finds exactly what is known."""
    rows: list[dict[str, Any]] = []
    for cell in cells:
        for strategy in STRATEGIES:
            for term, theta, measures in known(cell.process, strategy):
                values = {name: number.value for name, number in measures.items()}
                if theta == 0.0 and "rejection_rate" in values:
                    values["coverage"] = 1.0 - values["rejection_rate"]
                for measure, value in values.items():
                    key = {"strategy": strategy.label, "term": term, "measure": measure}
                    mcse = abs(value) / 100 + 1e-3
                    rows.append({**cell.factors, **key, "value": value, "mcse": mcse, "n": SIMS})
    return pd.DataFrame(rows)


def verdicts(performance: pd.DataFrame) -> pd.DataFrame:
    table = exact(CELLS, STRATEGIES, performance)
    others = [published(CELLS, STRATEGIES, performance), complete(table, STRATEGIES, SIMS)]
    return judge([table, *others])


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


def test_the_monte_carlo_errors_are_those_of_the_closed_forms() -> None:
    keys = ["treatment", "strategy", "term", "measure"]
    table = exact(CELLS, STRATEGIES, study()).set_index(keys)
    rate = table.loc[("within", "CR1", "IV1", "rejection_rate")]
    assert rate["expected"] == pytest.approx(0.05)
    assert rate["mcse"] == pytest.approx(np.sqrt(0.05 * 0.95 / SIMS))
    # Of 15 clusters' own differences, each with variance 1 + 2/2.
    spread = table.loc[("within", "ols", "IV1", "empirical_se")]
    assert spread["expected"] == pytest.approx(np.sqrt(2 / 15))
    assert spread["mcse"] == pytest.approx(np.sqrt(2 / 15) / np.sqrt(2 * SIMS))
    ratio = table.loc[("within", "CR1", "IV1", "variance_ratio")]
    assert ratio["mcse"] == pytest.approx(np.sqrt((2 / 14 + 2) / SIMS))


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
    assert (wrong["strategy"], wrong["statement"]) == ("CR3", "no fit fails")


def test_a_lost_number_is_an_error_and_one_without_error_differs() -> None:
    performance = study()
    lost = performance[performance["measure"] != "variance_df"]
    with pytest.raises(DataError, match="lacks .* first of all variance_df of 'ols' for .Inter"):
        verdicts(lost)
    blank = judge([pd.DataFrame([{"kind": "exact", "expected": 0.0, "found": 0.0, "z": np.nan}])])
    assert blank["verdict"].tolist() == ["differs"]


def test_monte_carlo_errors_that_are_too_small_are_found_out() -> None:
    """As of a jackknife that lacks its factor n - 1."""
    performance = study()
    table = exact(CELLS, STRATEGIES, performance)
    keys = [*CELLS[0].factors, "strategy", "term", "measure"]
    right = performance.drop(columns="mcse").merge(table[[*keys, "mcse"]], on=keys, how="left")
    right["mcse"] *= 1.02
    for factor, verdicts_found in [(1.0, {"agrees"}), (1 / np.sqrt(SIMS), {"agrees", "differs"})]:
        mine = right["measure"] == "variance_ratio"
        scaled = right.assign(mcse=right["mcse"].where(~mine, factor * right["mcse"]))
        found = judge([errors(exact(CELLS, STRATEGIES, scaled))])
        assert set(found["verdict"]) == verdicts_found
        wrong = found.loc[found["verdict"] == "differs", "measure"]
        assert all("variance_ratio" in measure for measure in wrong)


def test_the_bound_is_bonferronis() -> None:
    assert bound(1) == pytest.approx(2.5758, abs=1e-4)
    assert bound(1000) == pytest.approx(4.4172, abs=1e-4)


def test_a_random_intercept_where_slopes_vary() -> None:
    process = Process(30, 25, 1.0, 1, [0, 0], 1.0, sigma_ratios=[1, 1])
    cell = Cell({"clusters": 30}, process)
    mine = {"strategy": "mixed_intercept", "term": "IV1", "measure": "coverage"}
    for coverage, verdict in [(0.377, "agrees"), (0.5, "differs")]:
        row = {**cell.factors, **mine, "value": coverage, "mcse": 0.007, "n": 5000}
        (found,) = judge([approximate([cell], STRATEGIES, pd.DataFrame([row]))]).to_dict("records")
        assert found["expected"] == pytest.approx(0.594, abs=5e-4)
        assert found["verdict"] == verdict


@pytest.mark.parametrize(
    "change",
    [
        {"size_cv": 0.5},
        {"residual_distribution": "t"},
        {"intercept_slope_correlation": 0.3},
        {"treatment": "none"},
        {"predictors": 3, "coefficients": [0, 0, 0, 0]},
        {"coefficients": {"uniform": [0, 1]}},
        {"treatment": "within", "sigma_ratios": [1, 0, 1]},
    ],
)
def test_other_designs_have_no_closed_form(change: dict[str, Any]) -> None:
    process = replace(BETWEEN, **change)
    assert arms(process) is None
    assert not has_one_predictor(process)
    assert not list(known(process, STRATEGIES[0]))


def fitted() -> dict[str, Fitted]:
    """Fits of 15 clusters that are what they must be, each strategy's with arrays of its own."""
    rng = np.random.default_rng(7)
    estimate, std_error = rng.standard_normal((50, 3)), rng.uniform(0.5, 2, (50, 3))
    factor = {"CR3": np.sqrt(15 / 14), "CR0": np.sqrt(14 / 15)}
    return {
        strategy.label: Fitted(
            estimate.copy(),
            std_error * factor.get(strategy.label, 1.0),
            np.full((50, 3), 14.0),
            np.ones(50, dtype=bool),
        )
        for strategy in STRATEGIES
    }


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


def test_the_report_names_the_worst(tmp_path: Path) -> None:
    table, text = tmp_path / "verification.parquet", tmp_path / "verification.txt"
    performance = study()
    rows = verdicts(performance)
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), table)
    report(str(table), str(text))
    assert "none differs" in text.read_text()
    text.unlink()
    mine = performance["measure"].eq("rejection_rate") & performance["strategy"].eq("ols")
    performance.loc[mine & performance["term"].eq("IV1"), "value"] += 0.1
    rows = verdicts(performance)
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), table)
    with pytest.raises(DataError) as caught:
        report(str(table), str(text))
    said = str(caught.value)
    assert "2 of" in said and "rejection_rate of 'ols' for IV1 (clusters=15, treatment=" in said
    assert "Monte Carlo standard errors" in said
    assert "\n" not in said and not text.exists()


def test_the_figure_shows_every_score_and_what_differs() -> None:
    performance = study()
    mine = performance["measure"].eq("rejection_rate") & performance["strategy"].eq("ols")
    performance.loc[mine & performance["term"].eq("IV1"), "value"] += 0.1
    same = identities(CELLS[1], STRATEGIES, fitted())
    table = judge([verdicts(performance).drop(columns="verdict"), same])
    figure = verification(table, {"dpi": 50})
    scores, quantiles, _ = figure.axes
    drawn = [len(marks.get_offsets()) for marks in scores.collections]
    assert sum(drawn) == table["z"].notna().sum()
    crosses = [marks for marks in scores.collections if tuple(marks.get_edgecolor()[0][:3]) == RED]
    assert sum(len(marks.get_offsets()) for marks in crosses) == 2
    assert "2 of" in figure.texts[0].get_text()
    assert quantiles.get_ylim()[1] > table["z"].abs().max()

"""The tables of performance: what becomes of failures, terms not estimated, infinite variances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import clustrategy
from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy
from clustrategy.evaluation.measures import NAMES
from clustrategy.strategies.registry import DEFAULT_ENGINE, REGISTERED
from clustrategy.study.study import Study
from tests.evaluation.made_up import CONFIG, SIMS, perform, write_study


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def same(found: pd.DataFrame, rows: pd.DataFrame, where: tuple[float, str, str, str]) -> None:
    """Hold the rows of a cell, strategy, term and handling beside the measures of some rows."""
    sigma, label, term, handling = where
    keys = ["between_cluster_sigma", "strategy", "term", "handling"]
    mine = found[(found[keys] == list(where)).all(axis=1)].set_index("measure")
    chosen = rows[(rows["between_cluster_sigma"] == sigma) & (rows["term"] == term)]
    expected = clustrategy.performance(chosen, truth="truth").set_index("measure")
    expected = expected.drop("unusable_rate")
    ours = mine.loc[expected.index, ["value", "mcse", "n"]]
    pd.testing.assert_frame_equal(ours, expected, check_dtype=False, rtol=1e-12)


def test_each_handling_of_failures_uses_its_own_replicates() -> None:
    study, rows = write_study()
    found, _ = perform(study, reference="A")
    usable = rows["status"].isin(["ok", "singular"])
    failed = rows.loc[~usable, ["between_cluster_sigma", "sim"]].drop_duplicates()
    everywhere = rows.merge(failed, how="left", indicator=True)["_merge"] == "left_only"
    assert study.performance_settings["fallback"] == "B"
    for sigma in (0.5, 1.0):
        for label, term in (("A", "(Intercept)"), ("A", "IV1"), ("B", "IV1"), ("C", "(Intercept)")):
            own = rows[rows["strategy"] == label]
            same(found, own, (sigma, label, term, "case_wise"))
            joint = own[everywhere.to_numpy()[own.index]]
            same(found, joint, (sigma, label, term, "list_wise"))
            good = own[usable[own.index]]
            missing = own[~usable[own.index]]
            keys = ["between_cluster_sigma", "sim", "term"]
            substitutes = rows[rows["strategy"] == "B"].merge(missing[keys], on=keys)
            if label != "C":
                same(found, pd.concat([good, substitutes]), (sigma, label, term, "fallback"))
    counts = found[found["measure"] == "bias"].set_index(["strategy", "term", "handling"])["n"]
    assert set(counts.loc["A", "IV1", "case_wise"]) == {36}
    assert set(counts.loc["A", "IV1", "list_wise"]) == {30}, "C counts, though without this term"
    assert set(counts.loc["A", "IV1", "fallback"]) == {39}, "the fallback itself failed in one"
    failures = found[found["measure"] == "unusable_rate"]
    assert (failures["n"] == SIMS).all()
    assert (failures.groupby("strategy")["value"].unique().map(list)).to_dict() == {
        "A": [4 / 40],
        "B": [1 / 40],
        "C": [7 / 40],
    }


def test_a_term_that_is_not_estimated_is_no_failure() -> None:
    study, _ = write_study()
    found, differences = perform(study)
    absent = found[(found["strategy"] == "C") & (found["term"] == "IV1")]
    rest = absent[absent["measure"] != "unusable_rate"]
    assert (rest["note"] == "not estimated").all() and (rest["n"] == 0).all()
    assert rest[["value", "mcse"]].isna().all(axis=None)
    assert "IV1" not in set(differences.loc[differences["strategy"] == "C", "term"])


def test_the_form_of_the_tables() -> None:
    study, _ = write_study()
    found, differences = perform(study)
    keys = [*study.factors, "strategy"]
    numbers = ["value", "mcse", "n"]
    own = ["term", "true_value", "handling", "measure", *numbers, "note"]
    assert list(found) == [*keys, *own]
    assert list(differences) == [*keys, "reference", *own]
    group = found[(found["strategy"] == "B") & (found["term"] == "IV1")]
    first = group[(group["between_cluster_sigma"] == 1) & (group["handling"] == "case_wise")]
    assert tuple(first["measure"]) == NAMES
    assert found["handling"].unique().tolist() == ["case_wise", "list_wise", "fallback"]
    assert found.groupby("term")["true_value"].unique().map(list).to_dict() == {
        "(Intercept)": [0.0],
        "IV1": [0.5],
    }
    notes = found[found["measure"] == "size_adjusted_power"].set_index(["strategy", "term"])["note"]
    assert set(notes.loc[("B", "(Intercept)")]) == {"true value is 0"}
    assert set(notes.loc[("B", "IV1")]) == {""}
    for name, table in (("performance", found), ("differences", differences)):
        people = pd.read_csv(
            f"{study.folder}/{name}.csv",
            keep_default_na=False,
            na_values={column: [""] for column in ("true_value", "value", "mcse")},
        )
        pd.testing.assert_frame_equal(people, table, check_dtype=False, rtol=1e-12)


def test_tests_that_are_not_of_t_have_no_size_adjusted_power() -> None:
    study, rows = write_study()
    path = f"{study.folder}/estimates.parquet"
    table = pq.read_table(path)
    own = np.where(table["strategy"].to_numpy() == "B", 0.03, table["p_value"].to_numpy())
    place = table.column_names.index("p_value")
    pq.write_table(table.set_column(place, "p_value", pa.array(own)), path)
    found, _ = perform(study)
    adjusted = found[(found["measure"] == "size_adjusted_power") & (found["term"] == "IV1")]
    adjusted = adjusted[adjusted["handling"] == "fallback"].set_index("strategy")
    assert set(adjusted.loc["B", "note"]) == {"p-values are not of t"}
    assert set(adjusted.loc["A", "note"]) == {"p-values are not of t"}, "the fallback's are not"
    assert adjusted.loc["B", "value"].isna().all()


def test_differences_are_paired() -> None:
    study, rows = write_study()
    _, found = perform(study, reference="B")
    assert set(found["reference"]) == {"B"} and set(found["strategy"]) == {"A", "C"}
    cell = rows[(rows["between_cluster_sigma"] == 1) & (rows["term"] == "IV1")]
    good = cell[cell["status"].isin(["ok", "singular"])]
    both = good.pivot(index="sim", columns="strategy", values=["estimate", "std_error"])
    both = both.dropna(subset=[("estimate", "A"), ("estimate", "B")])
    mine = found[(found["between_cluster_sigma"] == 1) & (found["strategy"] == "A")]
    mine = mine[(mine["term"] == "IV1") & (mine["handling"] == "case_wise")].set_index("measure")
    apart = both["estimate"]["A"] - both["estimate"]["B"]
    assert mine.loc["bias", "n"] == len(both) == 36
    assert mine.loc["bias", "value"] == pytest.approx(apart.mean())
    assert mine.loc["bias", "mcse"] == pytest.approx(apart.sem())
    squares = (both["estimate"] - 0.5) ** 2
    apart = squares["A"] - squares["B"]
    assert mine.loc["mse", ["value", "mcse"]].tolist() == pytest.approx([apart.mean(), apart.sem()])
    failed = np.zeros((2, SIMS))
    failed[0, 3::10], failed[1, 13] = 1, 1
    apart = pd.Series(failed[0] - failed[1])
    row = mine.loc["unusable_rate", ["value", "mcse", "n"]].tolist()
    assert row == pytest.approx([apart.mean(), apart.sem(), SIMS])


@pytest.mark.parametrize("handling", ["case_wise", "list_wise", "fallback"])
def test_two_strategies_are_compared_under_each_handling(handling: str) -> None:
    study, rows = write_study()
    performance, differences = perform(study, reference="C")
    cell = rows[(rows["between_cluster_sigma"] == 1) & (rows["term"] == "(Intercept)")]
    cell = cell[cell["status"].isin(["ok", "singular"])]
    error = cell.pivot(index="sim", columns="strategy", values="estimate").dropna(how="all")
    if handling == "list_wise":
        error = error.dropna()
    if handling == "fallback":
        error = error.apply(lambda own: own.fillna(error["B"]))
    error = error[["A", "C"]].dropna()
    assert len(error) == {"case_wise": 30, "list_wise": 30, "fallback": 39}[handling]
    keys = ["between_cluster_sigma", "strategy", "term", "handling"]
    place = [1.0, "A", "(Intercept)", handling]
    found = [
        table[(table[keys] == place).all(axis=1)].set_index("measure")[["value", "mcse", "n"]]
        for table in (performance, differences)
    ]
    ratio = error["C"].var() / error["A"].var() - 1.0
    assert found[0].loc["relative_precision", ["value", "n"]].tolist() == pytest.approx(
        [ratio, len(error)]
    )
    apart = error["A"] - error["C"]
    expected = [apart.mean(), apart.sem(), len(error)]
    assert found[1].loc["bias"].tolist() == pytest.approx(expected)


def test_without_a_finite_variance_moments_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    engines = REGISTERED["two_stage"]
    asked = []

    def finite_variance(rows: int, slopes: int) -> bool:
        asked.append((rows, slopes))
        return False

    entry = replace(engines[DEFAULT_ENGINE], finite_variance=finite_variance)
    monkeypatch.setitem(engines, DEFAULT_ENGINE, entry)
    study, _ = write_study()
    found, differences = perform(study)
    assert asked == [(6, 1)] * 2
    mine = found[(found["strategy"] == "A") & (found["handling"] == "case_wise")]
    noted = mine[mine["note"] == "no finite variance"]
    kept = {"median_bias", "robust_se", "coverage", "rejection_rate"}
    assert set(noted["measure"]).isdisjoint(kept)
    assert noted["mcse"].isna().all()
    assert {"empirical_se", "mse", "model_se", "relative_precision"} <= set(noted["measure"])
    assert mine.loc[mine["measure"] == "bias", "value"].notna().all()
    assert mine.loc[mine["measure"].isin(kept), ["value", "mcse"]].notna().all(axis=None)
    other = found[(found["strategy"] == "B") & (found["measure"] == "mse")]
    assert other["value"].notna().all()
    apart = differences[(differences["strategy"] == "B") & (differences["measure"] == "mse")]
    assert differences["reference"].unique().tolist() == ["A"] and apart["value"].isna().all()


@dataclass(frozen=True)
class Unequal(Process):
    """A process with options that bear on the smallest cluster."""

    predictor_icc: Any = 0.0
    treatment: str = "none"
    arms: int = 2
    size_cv: float = 0.0
    missing_rate: float = 0.0
    predictor_distribution: Any = "normal"


@pytest.mark.parametrize(
    ("options", "rows", "slopes"),
    [
        ({}, 6, 3),
        ({"size_cv": 0.5}, 1, 3),
        ({"missing_rate": 0.1}, 1, 3),
        # P(6 rows with 1 in 10^5 missing at most lose 2) is 1.5e-9, 3 rows 2e-14
        ({"missing_rate": 5e-6}, 4, 3),
        ({"predictor_icc": 1.0}, 6, 0),
        ({"predictor_icc": [0.5, 1, 0]}, 6, 2),
        ({"treatment": "between"}, 6, 2),
        ({"treatment": "between", "arms": 3, "predictor_icc": 1.0}, 6, 0),
        ({"treatment": "within", "arms": 3, "predictor_icc": 1.0}, 4, 0),
        ({"treatment": "within"}, 5, 2),
        ({"predictor_distribution": "binary"}, 3, 0),
        ({"predictor_distribution": ["normal", "binary", "binary"]}, 4, 1),
        ({"predictor_distribution": "binary", "predictor_icc": [0, 1, 1]}, 5, 0),
        (
            {
                "predictor_distribution": ["uniform", "binary"],
                "treatment": "within",
                "predictor_icc": 0.5,
            },
            4,
            1,
        ),
    ],
)
def test_the_smallest_cluster(
    options: dict[str, Any], rows: int, slopes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Unequal(10, 6, 0.5, 3, [0.0] * 4, 1.0, **options)
    study = Study.from_config({**CONFIG, "strategies": ["two_stage"]})
    monkeypatch.setattr(Study, "process", lambda *_: process)
    asked: set[tuple[int, int]] = set()

    def finite_variance(_: Strategy, rows: int, slopes: int) -> bool:
        asked.add((rows, slopes))
        return True

    monkeypatch.setattr(Strategy, "finite_variance", finite_variance)
    assert study.performance_settings["finite_variance"] == {"two_stage": [True, True]}
    assert asked == {(rows, slopes)}


def test_one_strategy_has_no_differences() -> None:
    study, _ = write_study()
    for name in ("estimates", "fits"):
        path = f"{study.folder}/{name}.parquet"
        table = pq.read_table(path)
        pq.write_table(table.filter(pa.array(table["strategy"].to_numpy() == "B")), path)
    alone = Study.from_config({**CONFIG, "strategies": CONFIG["strategies"][1:2]})
    alone.plan.write()
    _, differences = perform(alone)
    assert differences.empty

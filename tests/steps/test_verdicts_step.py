"""The step that writes verdicts: its numbers by hand, its fresh draw, and its files to the byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.stats import t as student

from clustrategy import verdicts
from clustrategy.core.errors import DataError, EngineError
from clustrategy.dgp import simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.evaluation.cell_verdicts import SCHEMA
from clustrategy.steps.aggregate import aggregate
from clustrategy.steps.verdicts import verdicts as write_verdicts
from clustrategy.study.plan import Plan
from clustrategy.study.study import Study
from tests.study.cheap import CHEAP, KINDS, finished

SIMS = 12
FRESH = range(10_000_000, 10_000_000 + SIMS)
CONFIG: dict[str, Any] = {
    "sims": SIMS,
    "sims_per_shard": 5,
    "dgp": {"predictors": 2, "coefficients": {"uniform": [-1, 1]}},
    "grid": {"clusters": [5, 7], "obs_per_cluster": [6], "between_cluster_sigma": [0.5]},
    "strategies": [
        {"strategy": "two_stage", "name": "a"},
        "ols",
        {"strategy": "wild_cluster_bootstrap", "draws": 39, "name": "wild"},
    ],
    "verdict": {"effects": [0.5, 2.0]},
}
WITHIN = "predictor within clusters"


@dataclass(frozen=True)
class Made:
    """A study and the bytes of its whole tables and verdicts."""

    plan: Plan
    files: Mapping[str, bytes]


def settings(**changes: Any) -> dict[str, Any]:
    return Study.from_config({**CHEAP, **CONFIG, **changes}).verdict_settings


def judge(plan: Plan, folder: Path, chosen: Mapping[str, Any]) -> tuple[pd.DataFrame, bytes]:
    """Run the step on the tables in a folder."""
    write_verdicts(
        plan.folder,
        chosen,
        **{name: f"{folder}/{name}.parquet" for name in ("estimates", "fits", "truth")},
        verdicts=f"{folder}/verdicts.parquet",
        verdicts_csv=f"{folder}/verdicts.csv",
    )
    return pd.read_parquet(folder / "verdicts.parquet"), (folder / "verdicts.csv").read_bytes()


def whole_study(folder: Path, **changes: Any) -> Plan:
    plan = finished(folder, **{**CONFIG, **changes})
    aggregate(str(folder), **{kind: f"{folder}/{kind}.parquet" for kind in KINDS})
    judge(plan, folder, settings(**changes))
    return plan


@cache
def made() -> Made:
    with TemporaryDirectory() as name:
        folder = Path(name)
        plan = whole_study(folder)
        names = [*(f"{kind}.parquet" for kind in KINDS), "verdicts.parquet", "verdicts.csv"]
        return Made(plan, {name: (folder / name).read_bytes() for name in names})


@pytest.fixture
def study(tmp_path: Path) -> Plan:
    """The study, its plan and tables in a folder of the test's own."""
    for name, content in made().files.items():
        (tmp_path / name).write_bytes(content)
    plan = replace(made().plan, folder=str(tmp_path))
    plan.write()
    return plan


def found(table: pd.DataFrame, measure: str, **where: Any) -> pd.DataFrame:
    rows = table["measure"] == measure
    for name, value in where.items():
        rows &= table[name] == value
    return table[rows]


def test_the_columns_and_rows(study: Plan) -> None:
    folder = Path(study.folder)
    table = pq.read_table(folder / "verdicts.parquet")
    assert table.column_names == [*study.cells[0], *SCHEMA.names]
    frame = table.to_pandas()
    # Of each kind four promises, two powers at two effects and one least effect; of fits two.
    assert (frame["scope"] == "cell").sum() == 2 * 3 * (2 * (4 + 2 * 2 + 1) + 2)
    assert set(frame["scope"]) == {"cell", "all", "clusters"}
    whole = frame[frame["scope"] == "all"]
    assert whole[[*study.cells[0]]].isna().all(axis=None) and (whole["cells"] == 2).all()
    level = frame[(frame["scope"] == "clusters") & (frame["clusters"] == 7)]
    assert len(level) and level["obs_per_cluster"].isna().all() and (level["cells"] == 1).all()
    back = pd.read_csv(folder / "verdicts.csv", float_precision="round_trip")
    pd.testing.assert_series_equal(back["value"], frame["value"])


def test_the_cut_into_blocks_changes_no_byte(tmp_path: Path) -> None:
    plan = whole_study(tmp_path, sims_per_shard=SIMS)
    assert len(plan.blocks) == 2 < len(made().plan.blocks)
    for name in ("verdicts.parquet", "verdicts.csv"):
        assert (tmp_path / name).read_bytes() == made().files[name]


def fresh_rejections(plan: Plan, place: int, label: str) -> np.ndarray:
    """Draw fresh sims of a cell at once, fit them, and test the truth: by hand."""
    cell = plan.cells[place]
    process = plan.recipe.process(cell)
    drawn = simulate(process, plan.recipe.seed, cell, FRESH)
    fits = Strategy.parse({"a": "two_stage"}.get(label, label)).fit(drawn.shard)
    p_values = 2 * student.sf(np.abs(fits.estimate - drawn.truth) / fits.std_error, fits.df)
    return (p_values[:, 1:] <= 0.05).mean(axis=1)


@pytest.mark.parametrize("label", ["a", "ols"])
def test_the_worst_cell_is_that_of_sims_that_no_study_has(study: Plan, label: str) -> None:
    table = pd.read_parquet(Path(study.folder, "verdicts.parquet"))
    where = {"strategy": label, "kind": WITHIN}
    cells = found(table, "false_positive_rate", scope="cell", **where)
    worst = int(cells["value"].to_numpy().argmax())
    expected = fresh_rejections(study, worst, label)
    (row,) = found(table, "false_positive_rate", scope="all", **where).to_dict("records")
    assert row["value"] == expected.mean() and row["n"] == SIMS and pd.isna(row["note"])
    assert row["mcse"] == pytest.approx(expected.std() / np.sqrt(SIMS))
    assert (row["lowest"], row["highest"]) == (cells["value"].min(), cells["value"].max())
    (intercept,) = found(
        table, "false_positive_rate", scope="all", strategy=label, kind="intercept"
    ).to_dict("records")
    assert intercept["value"] == intercept["highest"] and "not drawn again" in intercept["note"]


def test_tests_that_resample_are_drawn_again_with_streams_of_their_own(study: Plan) -> None:
    table = pd.read_parquet(Path(study.folder, "verdicts.parquet"))
    where = {"strategy": "wild", "kind": WITHIN}
    cells = found(table, "false_positive_rate", scope="cell", **where)
    place = int(cells["value"].to_numpy().argmax())
    cell = study.cells[place]
    drawn = simulate(study.recipe.process(cell), study.recipe.seed, cell, FRESH)
    fits = study.recipe.chosen["wild"].fit(drawn.shard, drawn.truth[..., None])
    (row,) = found(table, "false_positive_rate", scope="all", **where).to_dict("records")
    assert row["value"] == (fits.p_nulls[:, 1:, 0] <= 0.05).mean(axis=1).mean()


def test_a_strategy_whose_engine_is_not_here_is_not_drawn_again(
    study: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(self: Strategy) -> None:
        if self.label == "ols":
            raise EngineError("not here")

    monkeypatch.setattr(Strategy, "check", check)
    before = pd.read_parquet(Path(study.folder, "verdicts.parquet"))
    table, _ = judge(study, Path(study.folder), settings())
    rows = found(table, "false_positive_rate", scope="all", kind=WITHIN).set_index("strategy")
    assert rows.loc["ols", "note"] == (
        "the worst cell was not drawn again: its interval holds for the worst of 2 cells"
    )
    assert rows.loc["ols", "value"] == rows.loc["ols", "highest"]
    assert pd.isna(rows.loc["a", "note"])
    others = before["strategy"] != "ols"
    pd.testing.assert_frame_equal(table[others], before[others])


def test_they_are_those_of_the_function_on_the_studys_table(study: Plan) -> None:
    """Of each cell, strategy and kind, on the estimates as a user reads them."""
    folder = Path(study.folder)
    keys = [*study.cells[0], "sim"]
    estimates = pd.read_parquet(folder / "estimates.parquet")
    truth = pd.read_parquet(folder / "truth.parquet")
    fits = pd.read_parquet(folder / "fits.parquet")[[*keys, "strategy", "status"]]
    data = estimates.merge(truth, on=[*keys, "term"]).merge(fits, on=[*keys, "strategy"])
    data["kind"] = np.where(data["term"] == "(Intercept)", "intercept", WITHIN)
    own = verdicts(
        data,
        "value",
        by=[*study.cells[0], "strategy", "kind"],
        effects=CONFIG["verdict"]["effects"],
        equivariant=True,
    )
    table = pd.read_parquet(folder / "verdicts.parquet")
    table = table[(table["scope"] == "cell") & table["kind"].notna()]
    own = own[~own["measure"].isin(["singular_rate", "unusable_rate"])]
    order = [*study.cells[0], "strategy", "kind", "measure", "effect"]
    columns = ["value", "mcse", "conf_low", "conf_high", "n", "verdict", "between", "safe"]
    columns += ["sims_needed", "note"]
    pairs = [
        each.sort_values(order)[[*order, *columns]].reset_index(drop=True) for each in (table, own)
    ]
    assert len(pairs[0]) == 2 * 3 * 2 * 9
    pd.testing.assert_frame_equal(*pairs, check_dtype=False, rtol=1e-12, atol=1e-14)


def test_fits_of_another_status_do_not_count(study: Plan) -> None:
    folder = Path(study.folder)
    fits = pq.read_table(folder / "fits.parquet")
    status = fits["status"].to_pylist()
    place = next(
        i
        for i, (label, sim) in enumerate(
            zip(fits["strategy"].to_pylist(), fits["sim"].to_pylist(), strict=True)
        )
        if (label, sim) == ("ols", 3)
    )
    status[place] = "not_converged"
    column = fits.schema.get_field_index("status")
    pq.write_table(fits.set_column(column, "status", [status]), folder / "fits.parquet")
    table, _ = judge(study, folder, settings())
    rows = table[(table["scope"] == "cell") & (table["strategy"] == "ols")]
    first = rows[rows["clusters"] == 5]
    assert set(found(first, "coverage")["n"]) == {SIMS - 1}
    assert found(first, "unusable_rate")["value"].tolist() == [1 / SIMS]
    assert not found(first, "false_positive_rate")["safe"].any()
    assert set(found(rows[rows["clusters"] == 7], "coverage")["n"]) == {SIMS}


def test_tables_of_another_study_are_refused(study: Plan) -> None:
    replace(study, labels=["ols", "a", "wild"]).write()
    with pytest.raises(DataError, match=r"fits\.parquet: is not of the study's strategies"):
        judge(study, Path(study.folder), settings())

"""The step that writes power: its numbers on a balanced design, and its tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.optimize import brentq

from clustrategy.dgp import Process
from clustrategy.evaluation import detectable, power_curves
from clustrategy.steps.power import power
from clustrategy.study.plan import Plan
from clustrategy.verification.cells import arms
from clustrategy.verification.closed_forms import Wald, cluster_robust
from tests.steps.test_verdicts_step import settings, whole_study

SIMS = 1200
CR2 = {"strategy": "cluster_robust", "variance": "CR2", "df": "satterthwaite", "name": "CR2"}
WILD = {"strategy": "wild_cluster_bootstrap", "draws": 39, "name": "wild"}
CHANGES: dict[str, Any] = {
    "sims": SIMS,
    "sims_per_shard": SIMS,
    "dgp": {"predictors": 1, "treatment": "between", "coefficients": [0, 0]},
    "grid": {"clusters": [8], "obs_per_cluster": [4], "between_cluster_sigma": [0.5, 1.0]},
    "strategies": [CR2, "ols"],
    "verdict": {"effects": [0.5, 1.0, 2.0]},
}
TREATMENT = "treatment of whole clusters"


def judge(plan: Plan, into: str = "", **more: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run the step on the tables of a study, in whose folder the results are unless said."""
    to = into or plan.folder
    power(
        plan.folder,
        {**settings(**CHANGES), **more},
        **{
            name: f"{plan.folder}/{name}.parquet"
            for name in ("estimates", "fits", "truth", "verdicts")
        },
        power=f"{to}/power.parquet",
        power_csv=f"{to}/power.csv",
        detectable=f"{to}/detectable.parquet",
        detectable_csv=f"{to}/detectable.csv",
    )
    return pd.read_parquet(f"{to}/power.parquet"), pd.read_parquet(f"{to}/detectable.parquet")


@pytest.fixture(scope="module")
def study() -> Iterator[Plan]:
    """A study of a treatment of whole clusters, with its verdicts and its power."""
    with TemporaryDirectory() as folder:
        plan = whole_study(Path(folder), **CHANGES)
        judge(plan)
        yield plan


def table(plan: Plan, name: str, **where: Any) -> pd.DataFrame:
    rows = pd.read_parquet(f"{plan.folder}/{name}.parquet")
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows


def closed_form(plan: Plan, sigma: float) -> Wald:
    """The test of CR2, which is that of cluster means with t(6)."""
    (cell,) = (cell for cell in plan.cells if cell["between_cluster_sigma"] == sigma)
    process = plan.recipe.process(cell)
    assert isinstance(process, Process)
    design = arms(process)
    assert design is not None
    return cluster_robust(design, 1, "CR2", "satterthwaite")


@pytest.mark.parametrize("sigma", [0.5, 1.0])
def test_power_and_the_detectable_effect_are_those_of_the_noncentral_t(
    study: Plan, sigma: float
) -> None:
    wald = closed_form(study, sigma)
    where = {"between_cluster_sigma": sigma, "strategy": "CR2", "kind": TREATMENT}
    points = table(study, "power", **where)
    assert len(points) == 41 and {0.0, 0.5, 1.0, 2.0, 4.0} <= set(points["effect"])
    for point in points.to_dict("records"):
        expected = wald.rejection(point["effect"])
        for measure, mcse in (("power", "mcse"), ("size_adjusted_power", "size_adjusted_mcse")):
            assert point[measure] == pytest.approx(expected, abs=4 * point[mcse] + 2e-3)
    root = brentq(lambda effect: wald.rejection(effect) - 0.8, 0.1, 4)
    for row in table(study, "detectable", scope="cell", **where).to_dict("records"):
        assert row["effect"] == pytest.approx(root, abs=4 * row["mcse"])
        assert row["mcse"] < 0.1 and row["conf_low"] < row["effect"] < row["conf_high"]


def test_over_cells_it_is_that_of_the_worst(study: Plan) -> None:
    whole = table(study, "detectable", scope="all")
    assert whole["between_cluster_sigma"].isna().all() and (whole["cells"] == 2).all()
    for row in whole.to_dict("records"):
        where = {name: row[name] for name in ("strategy", "kind", "size_adjusted")}
        cells = table(study, "detectable", scope="cell", **where)
        assert row["effect"] == cells["effect"].max()
        assert row["worst_cell"].endswith("between_cluster_sigma 1")


def test_what_is_safe_is_what_the_verdicts_say(study: Plan) -> None:
    verdicts = table(study, "verdicts", measure="false_positive_rate", kind=TREATMENT)
    for scope in ("cell", "all"):
        of = verdicts[verdicts["scope"] == scope].set_index(["between_cluster_sigma", "strategy"])
        found = table(study, "detectable", scope=scope)
        for row in found.to_dict("records"):
            assert row["safe"] == of.loc[(row["between_cluster_sigma"], row["strategy"]), "safe"]
    ols = table(study, "detectable", strategy="ols", scope="all").set_index("size_adjusted")
    assert not ols["safe"].any()
    assert ols.loc[False, "effect"] < 0.8 * ols.loc[True, "effect"], "it is liberal"
    assert not table(study, "power", strategy="ols")["safe"].any()


def test_the_columns_and_the_csv(study: Plan) -> None:
    for name, schema in (("power", power_curves.SCHEMA), ("detectable", detectable.SCHEMA)):
        columns = pq.read_schema(f"{study.folder}/{name}.parquet").names
        assert columns == [*study.cells[0], *schema.names]
        back = pd.read_csv(f"{study.folder}/{name}.csv", float_precision="round_trip")
        pd.testing.assert_series_equal(back["mcse"], table(study, name)["mcse"])


def test_a_test_that_resamples_has_power_at_the_listed_effects(tmp_path: Path) -> None:
    few = {**CHANGES, "sims": 60, "sims_per_shard": 60, "strategies": [WILD]}
    few["grid"] = {**CHANGES["grid"], "between_cluster_sigma": [0.5]}
    plan = whole_study(tmp_path, **few)
    curves, least = judge(plan, **settings(**few))
    assert curves["effect"].tolist() == [0.0, 0.5, 1.0, 2.0]
    verdicts = table(plan, "verdicts", scope="cell", measure="power", kind=TREATMENT)
    assert curves["power"].tolist()[1:] == verdicts["value"].tolist()
    assert set(least["note"]) <= {
        "between the listed effects 1 and 2",
        "power does not reach 80 % at the listed effects, which go up to 2",
        "power passes 80 % between the listed effects 1 and 2 and is 100 % at the latter",
    }

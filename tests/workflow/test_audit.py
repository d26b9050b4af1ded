"""The audit of a study, through Snakemake."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustrategy.study.shards import MADE_FROM
from clustrategy.tables.sealed import read_sealed, write_sealed
from tests.conftest import SMALL, Checkout

STUDY = {
    **SMALL,
    "grid": {"clusters": [6], "obs_per_cluster": [6, 8], "between_cluster_sigma": [0.5]},
    "audit": {"engine": "lme4", "sims": 2},
}
SIM = "clusters=6/obs_per_cluster=8/between_cluster_sigma=0.5/sim=1"
MIXED = ("mixed_maximal", "mixed_intercept")


def tampered(file: Path, change: Callable[[pd.DataFrame], None]) -> None:
    """Change a shard, types, metadata and seal kept, as an engine that is wrong would have."""
    metadata = {k.decode(): v.decode() for k, v in pq.read_metadata(file).metadata.items()}
    table = read_sealed(file)
    frame = table.to_pandas()
    change(frame)
    changed = pa.Table.from_pandas(frame, schema=table.schema, preserve_index=False)
    write_sealed(changed, file, {MADE_FROM: metadata[MADE_FROM]})


@pytest.mark.slow
@pytest.mark.lme4
def test_a_study_is_audited_by_lme4_and_statsmodels(
    checkout: Callable[..., Checkout], needs_r: None
) -> None:
    here = checkout()
    run = here.run("audit", "results/small/estimates.parquet", config=STUDY)
    assert "NOT AUDITED" not in run.output
    assert "Audit: no fault found in 4 datasets fitted again by R " in run.output
    rows = pd.read_parquet(here.result("audit.parquet"))
    assert set(zip(rows["strategy"], rows["reference"], strict=True)) == {
        ("cluster_robust", "statsmodels"),
        ("two_stage", "statsmodels"),
        *((strategy, engine) for strategy in MIXED for engine in ("lme4", "lme4_unbounded")),
    }
    assert sorted(rows["sim"].unique()) == [0, 1]
    assert set(rows["verdict"]) <= {"agree", "reference_slack", "reference_short"}
    study = pd.read_parquet(here.result("estimates.parquet"))
    keys = ["clusters", "obs_per_cluster", "between_cluster_sigma", "sim", "strategy", "term"]
    both = rows.merge(study, on=keys, suffixes=("_audited", ""), validate="m:1")
    assert len(both) == len(rows) == 4 * 6 * 4
    assert (both["estimate_audited"] == both["estimate"]).all()
    free = rows[rows["reference"] == "lme4_unbounded"]
    above = free["reml_criterion"] - free["reference_reml_criterion"]
    assert above.max() < 1e-6
    by_cell = pd.read_csv(here.result("audit.csv"))
    assert by_cell["sims"].eq(2).all() and len(by_cell) == 2 * 6
    assert here.result("figures/audit.png").read_bytes().startswith(b"\x89PNG")
    assert "Nothing to be done" in here.run("audit", config=STUDY).output

    # An engine that is wrong ends the run, and the sentence says how to see it.
    estimates = here.result("estimates/" + SIM.replace("sim=1", "sims=0-3.parquet"))

    def spoil(frame: pd.DataFrame) -> None:
        frame.loc[(frame["strategy"] == "two_stage") & (frame["sim"] == 1), "std_error"] *= 1.01

    tampered(estimates, spoil)
    for shard in here.result("audit").rglob("*.parquet"):
        shard.unlink()
    failed = here.run("audit", config=STUDY, expect=1)
    said = next(line for line in failed.output.splitlines() if "the audit found" in line)
    assert "the audit found numpy at fault in 1 of 24 fits" in said
    assert f"'two_stage' in {SIM}" in said
    command = shlex.split(said.rpartition("again: ")[2])
    assert command[0] == "snakemake"
    here.run(*command[1:])
    again = pd.read_csv(here.result(f"remade/{SIM}/estimates.csv"), float_precision="round_trip")
    right = study[(study["obs_per_cluster"] == 8) & (study["sim"] == 1)]
    right = right.merge(again, on=["strategy", "term"], suffixes=("", "_again"), validate="1:1")
    assert len(right) == len(again) == 16
    for name in ("estimate", "std_error", "df", "p_value"):
        assert right[name].tolist() == right[f"{name}_again"].tolist()


@pytest.mark.slow
def test_without_r_a_run_says_loudly_that_it_is_not_audited(
    checkout: Callable[..., Checkout],
) -> None:
    here = checkout()
    nowhere = os.environ | {"R_HOME": "/nonexistent", "COLUMNS": "200"}
    figure = here.result("figures/convergence.png").relative_to(here.folder)
    run = here.run("audit", str(figure), config=STUDY, env=nowhere)
    assert "NOT AUDITED: the engine 'lme4' needs R, which is not here" in run.output
    rows = pd.read_parquet(here.result("audit.parquet"))
    assert set(rows["strategy"]) == {"cluster_robust", "two_stage"}
    assert figure.with_suffix(".pdf").name in {
        path.name for path in here.result("figures").iterdir()
    }


def test_a_study_without_an_audit_has_none(checkout: Callable[..., Checkout]) -> None:
    here = checkout()
    failed = here.run("audit", config=SMALL, expect=1)
    assert "the config has no 'audit:'" in failed.output


@pytest.mark.parametrize("form", ["dataset.parquet", "lme4.R"])
def test_any_dataset_can_be_made_again_without_the_study(
    checkout: Callable[..., Checkout], form: str
) -> None:
    here = checkout()
    target = f"results/small/remade/{SIM}/{form}"
    here.run(target, config=STUDY)
    data = pd.read_parquet(here.folder / Path(target).with_name("dataset.parquet"))
    assert list(data.columns) == ["sim", "cluster", "DV", "IV1", "IV2", "IV3"]
    assert data.groupby("cluster").size().tolist() == [8] * 6
    truth = pd.read_csv(here.folder / Path(target).with_name("truth.csv"))
    assert truth["value"].between(0, 1).all() and len(truth) == 4

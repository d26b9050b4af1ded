"""The steps between files: what is fitted anew, what is refused, what is summed up how."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from clustrategy.steps.fit import fit_shard, fit_shards
from clustrategy.steps.score import score_shard, score_shards
from clustrategy.steps.simulate import simulate_shard, simulate_shards

from clustrategy.core.errors import DataError
from clustrategy.engines.chosen import Strategy
from clustrategy.evaluation.medians import as_text
from clustrategy.steps.aggregate import aggregate
from clustrategy.steps.summary import summary
from clustrategy.study.study import Study
from clustrategy.tables.files import read_parquet, write_csv, write_parquet
from tests.conftest import SMALL


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str], str]:
    """The paths of a shard's files."""
    return lambda name: str(tmp_path / f"{name}.parquet")


def simulated(files: Callable[[str], str], sims: int = 3, seed: int = 1) -> None:
    """Write the datasets and the truth of a few sims."""
    study = Study.from_config({**SMALL, "seed": seed, "strategies": ["two_stage"]})
    job = study.job(study.cells[0])
    simulate_shard(job, range(sims), datasets=files("datasets"), truth=files("truth"))


def fitted(files: Callable[[str], str], *strategies: Any, sims: int = 3) -> None:
    """Fit the datasets of `simulated`."""
    paths = {name: files(name) for name in ("datasets", "estimates", "fits")}
    chosen = [Strategy.parse(entry) for entry in strategies]
    digests = {strategy.label: strategy.digest for strategy in chosen}
    fit_shard([strategy.spec for strategy in chosen], digests, range(sims), **paths)


def test_what_is_there_is_fitted_no_more(
    files: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated(files)
    calls: list[str] = []
    fit = Strategy.fit

    def counted(self: Strategy, shard: Any) -> Any:
        calls.append(self.label)
        return fit(self, shard)

    monkeypatch.setattr(Strategy, "fit", counted)
    fitted(files, "two_stage", "ols")
    first = pq.read_table(files("estimates"))
    fitted(files, "ols", "cluster_robust", "two_stage")
    assert calls == ["two_stage", "ols", "cluster_robust"]
    second = pq.read_table(files("estimates"))
    assert second["strategy"].unique().to_pylist() == ["ols", "cluster_robust", "two_stage"]
    kept = second.filter(np.isin(second["strategy"].to_pylist(), ["two_stage"]))
    assert kept.equals(first.filter(np.isin(first["strategy"].to_pylist(), ["two_stage"])))

    fitted(files, "ols", {"strategy": "cluster_robust", "variance": "CR0"}, "two_stage")
    assert calls[3:] == ["cluster_robust"], "another option is another fit"
    simulated(files, seed=2)
    fitted(files, "ols")
    assert calls[4:] == ["ols"], "other data are other fits"
    Path(files("fits")).write_bytes(b"cut off")
    fitted(files, "ols")
    assert calls[5:] == ["ols"], "a broken file is made again"


def test_scores_of_other_sims_are_refused(files: Callable[[str], str]) -> None:
    simulated(files)
    fitted(files, "two_stage")
    simulated(files, sims=2)
    paths = {name: files(name) for name in ("estimates", "fits", "truth", "scores")}
    with pytest.raises(DataError, match="sims and terms are not those of"):
        score_shard(**paths)
    assert not Path(files("scores")).exists()


def test_a_shard_that_lacks_a_strategy_is_refused(
    files: Callable[[str], str], tmp_path: Path
) -> None:
    simulated(files)
    fitted(files, "two_stage")
    score_shard(**{name: files(name) for name in ("estimates", "fits", "truth", "scores")})
    study = Study.from_config({**SMALL, "strategies": ["two_stage", "ols"]})
    job = {**study.whole_job, "cells": study.cells[:1], "blocks": [[(0, 2)]]}
    shards = {name: [files(name)] for name in ("estimates", "fits", "scores", "truth")}
    out = {
        name: str(tmp_path / f"whole_{name}")
        for name in ("estimates", "fits", "scores", "sim_results", "sim_estimates")
    }
    with pytest.raises(DataError, match=r"expected sims 0 to 2 of 2 strategies, found 3 of 6"):
        aggregate(job, shards=shards, **out)
    with pytest.raises(DataError, match=r"expected sims 0 to 3"):
        aggregate({**job, "blocks": [[(0, 3)]], "strategies": ["two_stage"]}, shards=shards, **out)
    assert not list(tmp_path.glob("whole_*"))


def whole_tables(config: Mapping[str, Any]) -> list[bytes]:
    """The tables of a study, made here without Snakemake."""
    study = Study.from_config(config)
    path = {
        stage: study.shards(stage) for stage in ("datasets", "truth", "estimates", "fits", "scores")
    }

    def of(*stages: str) -> dict[str, list[str]]:
        return {stage: path[stage] for stage in stages}

    simulate_shards(study.seed, study.further_dgp, **of("datasets", "truth"))
    fit_shards(study.entries, study.digests, **of("datasets", "estimates", "fits"))
    score_shards(**of("estimates", "fits", "truth", "scores"))
    names = ("estimates", "fits", "scores", "sim_results", "sim_estimates")
    out = {name: f"{study.folder}/whole/{name}" for name in names}
    aggregate(study.whole_job, shards=of("estimates", "fits", "scores", "truth"), **out)
    return [Path(file).read_bytes() for file in out.values()]


def test_the_cut_into_shards_changes_no_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where shards are many, nor where cells differ in the number of coefficients."""
    monkeypatch.chdir(tmp_path)
    grid = {
        "clusters": [5],
        "obs_per_cluster": [6],
        "between_cluster_sigma": [1],
        "predictors": [1, 2],
        "residual_sigma": [0.5, 2],
    }
    strategies = ["cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept"]
    config = {**SMALL, "grid": grid, "sims": 52, "strategies": strategies}
    auto = whole_tables({**config, "study": "auto", "sims_per_shard": "auto"})
    first = Path("results/auto/fits/clusters=5/obs_per_cluster=6/between_cluster_sigma=1")
    assert sorted(p.name for p in (first / "predictors=1/residual_sigma=0.5").iterdir()) == [
        "sims=0-49.parquet",
        "sims=50-51.parquet",
    ]
    threes = whole_tables({**config, "study": "auto", "sims_per_shard": 3})
    assert threes == auto


def test_a_table_in_parts_is_that_table(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2, 3], "b": ["x", "y", None]})
    parts = (table.slice(first, 1) for first in range(3))
    write_parquet(parts, tmp_path / "parts.parquet", {"key": "value"})
    again = read_parquet(tmp_path / "parts.parquet")
    assert again.equals(table)
    assert again.schema.metadata == {b"key": b"value"}
    write_csv((table.slice(first, 1) for first in range(3)), tmp_path / "parts.csv")
    assert (tmp_path / "parts.csv").read_text() == '"a","b"\n1,"x"\n2,"y"\n3,\n'


def test_the_summary_skips_no_failure(files: Callable[[str], str], tmp_path: Path) -> None:
    study = Study.from_config(
        {**SMALL, "grid": {**SMALL["grid"], "obs_per_cluster": [2]}, "strategies": ["two_stage"]}
    )
    job = study.job(study.cells[0])
    simulate_shard(job, range(4), datasets=files("datasets"), truth=files("truth"))
    fitted(files, "two_stage", "cluster_robust", sims=4)
    score_shard(**{name: files(name) for name in ("estimates", "fits", "truth", "scores")})
    out = {
        name: str(tmp_path / f"whole_{name}")
        for name in ("estimates", "fits", "scores", "sim_results", "sim_estimates")
    }
    whole = {
        **study.whole_job,
        "cells": study.cells[:1],
        "blocks": [[(0, 3)]],
        "strategies": ["two_stage", "cluster_robust"],
    }
    shards = {name: [files(name)] for name in ("estimates", "fits", "scores", "truth")}
    aggregate(whole, shards=shards, **out)
    table = str(tmp_path / "summary.csv")
    summary(
        scores=out["scores"],
        factors=study.factors,
        strategies=["two_stage", "cluster_robust"],
        summary=table,
    )
    lines = as_text(pyarrow.csv.read_csv(table)).splitlines()
    assert lines[2].split() == ["two_stage", *["none"] * 3, "0.0", "%", "(0.0)", "of", "4"]
    assert "100.0 % (0.0) of 4" in lines[3]


LEAN = """
import sys
from clustrategy.runtime.job import job
from clustrategy.steps.simulate import simulate_shard
from clustrategy.steps.fit import fit_shard
from clustrategy.steps.score import score_shard
from clustrategy.steps.aggregate import aggregate
from clustrategy.study.study import Study

study = Study.from_config({**SMALL, "strategies": ["cluster_robust", "two_stage", "mixed_maximal"]})
with job("log", pandas=False):
    simulate_shard(study.job(study.cells[0]), range(2), datasets="d", truth="t")
    fit_shard(study.entries, study.digests, range(2), datasets="d", estimates="e", fits="f")
    score_shard(estimates="e", fits="f", truth="t", scores="s")
heavy = ("pandas", "scipy.stats", "matplotlib", "rpy2", "statsmodels", "formulaic")
print([name for name in heavy if name in sys.modules])
import pandas
"""


def test_a_job_imports_what_it_uses(tmp_path: Path) -> None:
    program = f"SMALL = {SMALL!r}\n{LEAN}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr

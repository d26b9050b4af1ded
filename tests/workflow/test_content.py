"""Results are judged by what they hold: not by clocks, and not by what Snakemake remembers."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.conftest import ESTIMATES, PERFORMANCE, SMALL, Checkout
from tests.workflow.test_determinism import planned

CHANGED = {
    **SMALL,
    "grid": {**SMALL["grid"], "clusters": [6, 8, 10]},
    "strategies": [
        {"strategy": "cluster_robust", "variance": "CR2"},
        "two_stage",
        "ols",
        "mixed_intercept",
    ],
}


def contents(folder: Path) -> dict[str, str]:
    """The digest of every file in a folder, by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="session")
def changed(small: Checkout, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The performance of the changed study, made afresh."""
    folder = tmp_path_factory.mktemp("changed") / "a study"
    here = Checkout(shutil.copytree(small.folder, folder, ignore=_results))
    here.run(PERFORMANCE, config=CHANGED)
    return pd.read_parquet(here.result("performance.parquet"))


def _results(_: str, names: list[str]) -> set[str]:
    return {"results", ".snakemake"} & set(names)


@pytest.mark.parametrize("target", [PERFORMANCE, "results/small/summary.csv"])
def test_another_config_without_snakemakes_memory(
    finished: Checkout, changed: pd.DataFrame, target: str
) -> None:
    """The folder of Snakemake is gone, all dates are the same, the config has changed."""
    here = finished
    shutil.rmtree(here.folder / ".snakemake")
    for path in here.result("").rglob("*"):
        os.utime(path, (1e9, 1e9))
    run = here.run(target, config=CHANGED)
    assert "4 of 6 blocks" not in run.output  # strategies changed in all of them
    if target == PERFORMANCE:
        found = pd.read_parquet(here.result("performance.parquet"))
        pd.testing.assert_frame_equal(found, changed, check_exact=True)
    else:
        summary = pd.read_csv(here.result("summary.csv"))
        assert list(summary["strategy"]) == [
            "cluster_robust",
            "two_stage",
            "ols",
            "mixed_intercept",
        ]
        assert set(summary["fits"]) == {6 * 4}
    assert "Nothing to be done" in here.run(target, config=CHANGED).output


def test_tables_of_another_config_copied_in(finished: Checkout, changed: pd.DataFrame) -> None:
    """Newer files of other numbers, of which Snakemake knows nothing, do not stay."""
    here = finished
    right = here.result("performance.parquet").read_bytes()
    other = pq.read_table(here.result("performance.parquet")).slice(0, 5)
    pq.write_table(other, here.result("performance.parquet"))
    run = here.run(PERFORMANCE, config=SMALL)
    assert planned(run.output) == {"performance": 1, "total": 1}
    assert here.result("performance.parquet").read_bytes() == right


@pytest.mark.parametrize(
    ("damaged", "jobs"),
    [
        ("performance.csv", {"performance": 1, "total": 1}),
        ("fits.parquet", {"aggregate": 1, "performance": 1, "total": 2}),
        ("receipts/performance.json", {"performance": 1, "total": 1}),
    ],
)
def test_a_damaged_table_is_made_again(
    finished: Checkout, damaged: str, jobs: dict[str, int]
) -> None:
    here = finished
    before = contents(here.result(""))
    path = here.result(damaged)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 8
    dates = (path.stat().st_atime, path.stat().st_mtime)
    path.write_bytes(content)
    os.utime(path, dates)
    dry = here.run(PERFORMANCE, "--dry-run", config=SMALL)
    assert planned(dry.output) == jobs
    here.run(PERFORMANCE, config=SMALL)
    after = contents(here.result(""))
    assert after == before


def test_truncated_and_lost_shards_are_made_again(finished: Checkout) -> None:
    here = finished
    before = contents(here.result(""))
    shards = sorted(here.result("estimates").rglob("*.parquet"))
    shards[0].write_bytes(shards[0].read_bytes()[:200])
    shards[1].unlink()
    scores = sorted(here.result("scores").rglob("*.parquet"))
    scores[2].write_bytes(b"")
    run = here.run(PERFORMANCE, config={**SMALL, "performance": {"alpha": 0.1}})
    assert "1 of 4 blocks are good" not in run.output or planned(run.output)
    here.run("all", "--until", "aggregate", config=SMALL)
    after = contents(here.result(""))
    for kind in ("truth", "estimates", "fits", "scores"):
        same = {path: made for path, made in before.items() if path.startswith(f"{kind}")}
        assert same.items() <= after.items()


def test_a_damaged_page_is_noticed_when_it_is_read(finished: Checkout) -> None:
    """The digest at the end of the file is whole, the rows are not."""
    here = finished
    before = here.result("estimates.parquet").read_bytes()
    shard = sorted(here.result("estimates").rglob("*.parquet"))[1]
    content = bytearray(shard.read_bytes())
    content[len(content) // 4] ^= 1
    shard.write_bytes(content)
    here.result("estimates.parquet").unlink()
    run = here.run(ESTIMATES, config=SMALL)
    assert "1 block was damaged and made again" in run.output
    assert here.result("estimates.parquet").read_bytes() == before


def test_files_dated_in_the_future(finished: Checkout) -> None:
    """A clock that was set back stops nothing, and loses nothing."""
    here = finished
    before = contents(here.result("estimates"))
    ahead = time.time() + 1e7
    for path in here.result("").rglob("*"):
        os.utime(path, (ahead, ahead))
    more = {**SMALL, "strategies": ["cluster_robust", "two_stage"]}
    run = here.run(PERFORMANCE, config=more)
    assert "Traceback" not in run.output
    assert contents(here.result("estimates")) == before
    assert all(path.stat().st_mtime <= time.time() for path in here.result("").rglob("*"))
    assert "Nothing to be done" in here.run(PERFORMANCE, config=more).output


def test_results_of_another_version(finished: Checkout) -> None:
    """Shards without digests, and a plan that is not one, are no results of this version."""
    here = finished
    right = here.result("estimates.parquet").read_bytes()
    for shard in here.result("estimates").rglob("*.parquet"):
        table = pq.read_table(shard, partitioning=None).replace_schema_metadata(None)
        pq.write_table(table.slice(0, 3), shard)
    here.result("study.json").write_text('{"seed": 1, "dgp": {}}')
    here.run(PERFORMANCE, config=SMALL)
    here.result("estimates.parquet").unlink()
    here.run(ESTIMATES, config=SMALL)
    assert here.result("estimates.parquet").read_bytes() == right


def test_a_dry_run_writes_nothing(finished: Checkout) -> None:
    here = finished
    before = contents(here.result(""))
    plan = planned(here.run("--dry-run", config=CHANGED).output)
    assert {"simulate_fit_score", "aggregate", "performance", "figure"} <= plan.keys()
    assert contents(here.result("")) == before


def test_only_what_is_asked_for_is_loaded(finished: Checkout) -> None:
    rules = finished.run("--list-rules", config=SMALL).output.split()
    assert "aggregate" in rules
    assert not {"student", "student_example", "verify", "verification_table"} & set(rules)


def test_a_level_less_and_more_sims_in_one_edit_with_an_audit(finished: Checkout) -> None:
    """Packs of cells that are gone are not carried again."""
    here = finished
    audited = {**SMALL, "strategies": ["mixed_intercept"], "audit": {"engine": "glmm", "sims": 1}}
    here.run("results/small/audit.csv", config=audited)
    first = {path: path.stat().st_mtime_ns for path in here.result("audit").rglob("*.parquet")}
    grid = {**SMALL["grid"], "clusters": [8]}
    changed = {**audited, "grid": grid, "sims": 6}
    run = here.run("results/small/audit.csv", config=changed)
    assert "audit_shards" not in planned(run.output), "no audited number has changed"
    assert pd.read_csv(here.result("audit.csv"))["clusters"].unique().tolist() == [8]
    after = {path: path.stat().st_mtime_ns for path in here.result("audit").rglob("*.parquet")}
    assert after == first
    assert "Nothing to be done" in here.run("results/small/audit.csv", config=changed).output


def test_what_the_config_does_not_ask_for_any_more_goes(finished: Checkout) -> None:
    here = finished
    audited = {**SMALL, "audit": {"engine": "glmm", "sims": 1}}
    here.run("results/small/audit.csv", config=audited)
    assert here.result("audit.csv").exists() and here.result("sim_estimates.csv").exists()
    run = here.run(PERFORMANCE, config={**SMALL, "csv": False})
    assert not here.result("audit.csv").exists()
    assert not here.result("audit.parquet").exists()
    assert not here.result("sim_estimates.csv").exists()
    assert here.result("estimates.parquet").exists()
    assert planned(run.output) == {"aggregate": 1, "performance": 1, "total": 2}


def test_an_audit_that_is_not_configured_is_refused_in_one_sentence(finished: Checkout) -> None:
    failed = finished.run("audit", config=SMALL, expect=1)
    assert "the config has no 'audit:'" in failed.output
    assert "Traceback" not in failed.output and "Exception" not in failed.output

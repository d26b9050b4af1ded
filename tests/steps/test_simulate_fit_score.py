"""The step that carries the blocks of a pack through simulate, fit and score."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from clustrategy.core.errors import DataError
from clustrategy.runtime.work import Work
from clustrategy.steps.simulate_fit_score import simulate_fit_score
from clustrategy.study.packs import PACKS
from clustrategy.study.shards import judge
from tests.study.cheap import CHEAP, contents, dates, finished, planned, shards_of


def packed(folder: Path, cores: int = 2) -> Work:
    """Plan the cheap study, pack what is to be made of it and write both down."""
    plan = planned(folder)
    plan.write()
    work = Work.of(f"{folder}/packs", judge(plan), cores)
    work.freeze()
    return work


def test_a_job_makes_the_blocks_of_its_pack(tmp_path: Path, fitted: list[str]) -> None:
    work = packed(tmp_path / "study")
    (name,) = work.packs
    (receipt,) = work.receipts
    simulate_fit_score(name, folder=f"{tmp_path}/study", receipt=receipt)
    # Two cells of 3 sims, each fitted twice.
    assert json.loads(Path(receipt).read_text()) == {"datasets": 6, "statuses": {"ok": 12}}
    assert len(fitted) == 8
    finished(tmp_path / "other")
    assert contents(tmp_path / "study") == contents(tmp_path / "other")


def test_blocks_of_other_packs_are_left_alone(tmp_path: Path) -> None:
    plan = finished(tmp_path)
    one, other, *_ = shards_of(plan)
    one.file("scores").unlink()
    work = packed(tmp_path)
    other.file("scores").unlink()
    (name,), (receipt,) = work.packs, work.receipts
    simulate_fit_score(name, folder=str(tmp_path), receipt=receipt)
    assert one.state().is_good
    assert not other.file("scores").exists()


def test_a_job_that_was_killed_goes_on_where_it_was(tmp_path: Path, fitted: list[str]) -> None:
    work = packed(tmp_path)
    (name,), (receipt,) = work.packs, work.receipts
    simulate_fit_score(name, folder=str(tmp_path), receipt=receipt)
    Path(receipt).unlink()
    for shards in shards_of(planned(tmp_path))[2:]:
        shards.file("fits").unlink()
        shards.file("scores").unlink()
    done = {path: date for path, date in dates(tmp_path).items() if "clusters=5" in path}
    del fitted[:]
    simulate_fit_score(name, folder=str(tmp_path), receipt=receipt)
    assert len(fitted) == 4
    assert dates(tmp_path).items() >= done.items()
    assert Path(receipt).exists()


def test_a_job_of_another_run_is_refused(tmp_path: Path) -> None:
    work = packed(tmp_path)
    (name,), (receipt,) = work.packs, work.receipts
    with pytest.raises(DataError, match=r"packs\.json: has no pack 'beef'; run again"):
        simulate_fit_score("beef", folder=str(tmp_path), receipt=receipt)
    Path(receipt).with_name(PACKS).write_text("damaged")
    with pytest.raises(DataError, match=r"packs\.json: has no pack"):
        simulate_fit_score(name, folder=str(tmp_path), receipt=receipt)
    (tmp_path / "study.json").write_text("damaged")
    with pytest.raises(DataError, match=r"study\.json: is not there or damaged; run again"):
        simulate_fit_score(name, folder=str(tmp_path), receipt=receipt)
    assert not Path(receipt).exists() and not contents(tmp_path)


LEAN = """
import sys
from clustrategy.runtime.job import job
from clustrategy.steps.aggregate import aggregate
from clustrategy.steps.simulate_fit_score import simulate_fit_score

class Snakemake:
    log = ["log"]
    params = {}
    output = []

with job(Snakemake, pandas=False):
    simulate_fit_score(NAME, folder=".", receipt=RECEIPT)
    aggregate(".", truth="t", estimates="e", fits="f", scores="s", sim_results="r.csv")
heavy = ("pandas", "scipy.stats", "matplotlib", "rpy2", "statsmodels", "formulaic", "snakemake")
print([name for name in heavy if name in sys.modules])
import pandas
"""


def test_a_job_imports_what_it_uses(tmp_path: Path) -> None:
    plan = planned(tmp_path, strategies=["cluster_robust", "two_stage", "mixed_maximal"])
    plan.write()
    work = Work.of(f"{tmp_path}/packs", judge(plan), 1)
    work.freeze()
    (name,), (receipt,) = work.packs, work.receipts
    program = f"NAME, RECEIPT = {name!r}, {receipt!r}\n{LEAN}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


ROOM = 20_000
FULL = """
import sys
from clustrategy.core.errors import DataError
from clustrategy.steps.simulate_fit_score import simulate_fit_score

try:
    simulate_fit_score(NAME, folder=".", receipt=RECEIPT)
except DataError as error:
    sys.exit(str(error))
"""


def test_where_there_is_no_room_shards_are_whole_or_absent(tmp_path: Path) -> None:
    """The datasets of the larger cell do not fit; those of the smaller one do."""
    study = {**CHEAP, "keep_datasets": True}
    study["grid"] = {**CHEAP["grid"], "clusters": [5, 200]}
    plan = planned(tmp_path, **study)
    plan.write()
    work = Work.of(f"{tmp_path}/packs", judge(plan), 1)
    work.freeze()
    (name,), (receipt,) = work.packs, work.receipts
    done = subprocess.run(
        [sys.executable, "-c", f"NAME, RECEIPT = {name!r}, {receipt!r}\n{FULL}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM)),
    )
    assert done.returncode == 1
    assert "datasets/clusters=200" in done.stderr
    assert "could not be written (File too large); all that was complete before is kept" in (
        done.stderr
    )
    assert not list(tmp_path.rglob(".*.parquet")) and not Path(receipt).exists()
    states = [shards.state() for shards in shards_of(plan)]
    assert [state.is_good for state in states] == [True, True, False, False]
    before = {path: date for path, date in dates(tmp_path).items() if "clusters=5" in path}
    simulate_fit_score(name, folder=str(tmp_path), receipt=receipt)
    assert all(shards.state().is_good for shards in shards_of(plan))
    assert dates(tmp_path).items() >= before.items()

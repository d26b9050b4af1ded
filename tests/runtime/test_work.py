"""The jobs that a run has to do: packs, their receipts, and what is said of them."""

from __future__ import annotations

from pathlib import Path

from clustrategy.runtime.work import Work
from clustrategy.steps.simulate_fit_score import simulate_fit_score
from clustrategy.study.packs import PACKS, read_packs
from clustrategy.study.plan import Plan
from clustrategy.study.shards import judge
from tests.study.cheap import finished, planned, shards_of


def work_of(plan: Plan, cores: int = 1) -> Work:
    """Pack what is to be made of a study."""
    return Work.of(f"{plan.folder}/packs", judge(plan), cores)


def carry_out(plan: Plan, work: Work) -> None:
    """Do all jobs."""
    for name, receipt in zip(work.packs, work.receipts, strict=True):
        simulate_fit_score(name, folder=plan.folder, receipt=receipt)


def receipts(plan: Plan) -> set[str]:
    """Return the receipts that are there."""
    return {str(path) for path in Path(plan.folder, "packs").glob("*.json")} - {
        f"{plan.folder}/packs/{PACKS}"
    }


def test_a_study_from_its_first_run_to_its_last(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    plan.write()
    first = work_of(plan)
    assert (first.good, first.missing, first.stale, first.said) == (0, 4, 0, "")
    assert not Path(tmp_path, "packs").exists(), "nothing is written while a run is planned"
    first.freeze()
    carry_out(plan, first)
    assert receipts(plan) == set(first.receipts)
    left_behind = Path(tmp_path, "packs/beef.part")
    left_behind.touch()

    second = work_of(plan)
    assert (second.packs, second.good, second.said) == (first.packs, 4, "")
    assert second.receipts == first.receipts, "these are what the whole tables are made from"
    second.freeze()
    assert receipts(plan) == set(first.receipts)
    assert not left_behind.exists()

    shards_of(plan)[0].file("fits").unlink()
    third = work_of(plan)
    assert (third.good, third.missing, third.stale) == (3, 1, 0)
    assert third.said == (
        "3 of 4 blocks are good and are taken over; 1 will be made (1 missing or damaged)"
    )
    third.freeze()
    assert receipts(plan) == set()
    carry_out(plan, third)

    more = planned(tmp_path, strategies=["ols", "cluster_robust", "two_stage"], sims=5)
    more.write()
    fourth = work_of(more)
    assert (fourth.good, fourth.missing, fourth.stale) == (0, 4, 2)
    assert fourth.said == ""
    fourth.freeze()
    carry_out(more, fourth)
    assert receipts(more) == set(fourth.receipts)
    assert not set(fourth.receipts) & {*first.receipts, *third.receipts}


def test_what_is_made_from_something_else_is_told_apart(tmp_path: Path) -> None:
    finished(tmp_path)
    grid = {"clusters": [5, 7, 9], "obs_per_cluster": [6], "between_cluster_sigma": [0.5]}
    found = work_of(planned(tmp_path, seed=2, grid=grid))
    assert (found.good, found.missing, found.stale, found.said) == (0, 2, 4, "")
    found = work_of(planned(tmp_path, grid=grid))
    assert (found.good, found.missing, found.stale) == (4, 2, 0)
    found = work_of(planned(tmp_path, strategies=["two_stage"]))
    assert (found.good, found.missing, found.stale, found.said) == (4, 0, 0, "")


def test_both_reasons_are_said(tmp_path: Path) -> None:
    plan = finished(tmp_path)
    first, second, third, _ = shards_of(plan)
    first.file("fits").unlink()
    second.file("scores").write_bytes(third.file("scores").read_bytes())
    assert work_of(plan).said == (
        "2 of 4 blocks are good and are taken over; 2 will be made "
        "(1 missing or damaged, 1 made from something else)"
    )


def test_a_pack_whose_receipt_is_there_is_made_under_another_name(tmp_path: Path) -> None:
    """Snakemake would take it for done."""
    plan = planned(tmp_path)
    plan.write()
    first = work_of(plan)
    first.freeze()
    carry_out(plan, first)
    for shards in shards_of(plan):
        shards.file("truth").unlink()
    again = work_of(plan)
    assert [f"{name}-2" for name in first.packs] == list(again.packs)
    assert not set(again.receipts) & set(first.receipts)
    again.freeze()
    assert receipts(plan) == set(), "the receipt of what is lost goes"


def test_jobs_elsewhere_read_the_packs(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    work = work_of(plan)
    assert Work.frozen(work.folder).packs == {}
    work.freeze()
    frozen = Work.frozen(work.folder)
    assert frozen.packs == work.packs == read_packs(Path(work.folder, PACKS))
    assert frozen.receipts == work.receipts


def test_packs_of_a_run_that_was_broken_off_are_no_receipts(tmp_path: Path) -> None:
    """All shards are there, but the job ended before its receipt: nothing is to be made."""
    plan = planned(tmp_path)
    work_of(plan).freeze()
    finished(tmp_path)
    assert work_of(plan).receipts == []

"""Audits of blocks: what they are made from, and when they are made again. Without R."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from clustrategy.core.digests import digest
from clustrategy.core.errors import DataError
from clustrategy.study.audits import AuditedBlocks
from clustrategy.study.plan import Plan, read_plan
from tests.study.cheap import CHEAP, bits, contents, dates, finished, planned, shards_of, work_off

AUDIT = {"audit": {"engine": "lme4", "sims": 2}}


def audit_off(plan: Plan) -> int:
    """Make all audits that are not good, and return how many they were."""
    audited = AuditedBlocks.of(plan)
    tasks = [judged.task for judged in audited.judge() if judged.task is not None]
    for task in tasks:
        audited.make(task.block)
    return len(tasks)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that is made and audited; to be copied."""
    folder = tmp_path_factory.mktemp("audited")
    assert audit_off(finished(folder, **AUDIT)) == 2
    return folder


@pytest.fixture
def folder(done: Path, tmp_path: Path) -> Path:
    """The folder of a study that is made and audited."""
    return Path(shutil.copytree(done, tmp_path / "study"))


def digests(plan: Plan) -> dict[str, str]:
    """Return what each audited block is made from."""
    audited = AuditedBlocks.of(plan)
    return {head.path: digest(audited.made_from(head)) for head in audited.blocks}


def test_the_first_sims_of_each_cell_are_audited(folder: Path) -> None:
    plan = read_plan(str(folder))
    audited = AuditedBlocks.of(plan)
    assert [(head.cell["clusters"], head.first, head.last) for head in audited.blocks] == [
        (5, 0, 1),
        (7, 0, 1),
    ]
    for head in audited.blocks:
        table = audited.read(head)
        assert table.num_rows == 2 * 2 * 4, "two sims, two strategies, four terms"
        assert set(table["reference"].to_pylist()) == {"statsmodels"}
        assert set(table["verdict"].to_pylist()) == {"agree"}


@pytest.mark.parametrize(("size", "sims"), [(1, 2), (1, 3), (2, 3), (2, 1), (3, 2)])
def test_an_audit_covers_its_sims_once_however_they_are_cut(
    tmp_path: Path, size: int, sims: int
) -> None:
    plan = planned(tmp_path, sims_per_shard=size, audit={"engine": "lme4", "sims": sims})
    heads = AuditedBlocks.of(plan).blocks
    for clusters in (5, 7):
        mine = [head for head in heads if head.cell["clusters"] == clusters]
        assert [sim for head in mine for sim in head.sims] == list(range(sims))
        assert all(len(head.sims) <= size for head in mine)


def test_what_an_audit_is_made_from_does_not_depend_on_the_cut(tmp_path: Path) -> None:
    plans = [planned(tmp_path, sims_per_shard=size, **AUDIT) for size in (2, 3)]
    assert digests(plans[0]) == digests(plans[1])
    assert AuditedBlocks.of(plans[0]).digest == AuditedBlocks.of(plans[1]).digest


@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({}, 0),
        ({"sims": 4}, 0),
        ({"sims_per_shard": 3}, 0),
        ({"keep_datasets": True}, 0),
        ({"performance": {"alpha": 0.1}}, 0),
        ({"strategies": ["two_stage", "cluster_robust"]}, 0),
        ({"grid": {**CHEAP["grid"], "clusters": [5, 7, 9]}}, 1),
        ({"grid": {**CHEAP["grid"], "clusters": [7]}}, 0),
        ({"audit": {"engine": "lme4", "sims": 3}}, 2),
        ({"strategies": ["cluster_robust"]}, 0),
        ({"strategies": [{"strategy": "cluster_robust", "variance": "CR0"}, "two_stage"]}, 2),
        ({"seed": 2}, 2),
        ({"dgp": {"residual_sigma": 2.0}}, 2),
    ],
)
def test_an_audit_is_made_again_where_numbers_change(
    folder: Path, changes: dict[str, Any], made: int
) -> None:
    plan = planned(folder, **{**AUDIT, **changes})
    work_off(plan)
    before = dates(folder / "audit")
    assert audit_off(plan) == made
    kept = {path: date for path, date in dates(folder / "audit").items() if path in before}
    assert (kept == before) is (made == 0 or "grid" in changes or "audit" in changes)
    assert audit_off(plan) == 0


def test_other_versions_of_a_reference_audit_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests(planned(folder, **AUDIT))
    monkeypatch.setattr("clustrategy.study.audits.code_digest", lambda files: "other code")
    after = digests(planned(folder, **AUDIT))
    assert not set(before.values()) & set(after.values())
    assert shards_of(planned(folder, **AUDIT))[0].state().is_good


def test_judged_audits_say_what_is_missing_and_what_it_costs(folder: Path) -> None:
    plan = planned(folder, **AUDIT)
    audited = AuditedBlocks.of(plan)
    first, second = audited.blocks
    audited.file(first).write_bytes(audited.file(first).read_bytes()[:-100])
    shutil.copy2(audited.file(second), audited.file(second).with_name("kept"))
    audited.file(second).unlink()
    judged = list(audited.judge())
    assert [one.is_missing for one in judged] == [True, True]
    assert all(one.task and one.task.seconds > 0 for one in judged)
    audited.file(second).with_name("kept").rename(audited.file(second))
    assert [one.task is None for one in audited.judge()] == [False, True]
    shutil.copy2(audited.file(second), audited.file(first))
    (one, _) = audited.judge()
    assert one.task is not None and not one.is_missing, "the audit of another block is stale"


@pytest.mark.parametrize("damage", ["flipped", "cut off", "missing", "of another block"])
def test_a_damaged_audit_is_made_again_when_it_is_read(folder: Path, damage: str) -> None:
    audited = AuditedBlocks.of(planned(folder, **AUDIT))
    before = contents(folder)
    first, second = audited.blocks
    expected, file = bits(audited.read(first)), audited.file(first)
    content = bytearray(file.read_bytes())
    content[40] ^= 1
    match damage:
        case "flipped":
            file.write_bytes(content)
        case "cut off":
            file.write_bytes(content[:-100])
        case "missing":
            file.unlink()
        case _:
            shutil.copy2(audited.file(second), file)
    assert bits(audited.read(first)) == expected
    assert contents(folder) == before


@pytest.mark.parametrize("kind", ["estimates", "fits"])
def test_an_audit_of_damaged_shards_makes_them_again(folder: Path, kind: str) -> None:
    plan = planned(folder, **AUDIT)
    before = contents(folder)
    audited = AuditedBlocks.of(plan)
    file = shards_of(plan)[0].file(kind)
    content = bytearray(file.read_bytes())
    content[40] ^= 1
    file.write_bytes(content)
    audited.make(audited.blocks[0])
    assert contents(folder) != before, "a good audit is left alone, and reads no shard"
    audited.file(audited.blocks[0]).unlink()
    audited.make(audited.blocks[0])
    assert contents(folder) == before


def test_an_audit_names_the_versions_of_its_references(tmp_path: Path) -> None:
    audit = AuditedBlocks.of(planned(tmp_path, **AUDIT)).audit
    assert audit.versions["statsmodels"] == version("statsmodels")


def test_a_study_without_an_audit_has_nothing_to_audit(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the config has no 'audit:', so there is nothing to audit"):
        AuditedBlocks.of(planned(tmp_path))

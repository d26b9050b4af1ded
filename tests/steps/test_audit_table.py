"""The audit of a study, from its packs to its table. Without R."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from clustrategy.core.errors import DataError
from clustrategy.runtime.work import Work
from clustrategy.steps.audit_shards import audit_shards
from clustrategy.steps.audit_table import audit_table
from clustrategy.study.audits import AuditedBlocks
from tests.study.cheap import contents, finished, rows

AUDIT = {"engine": "lme4", "sims": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study whose shards are made and audited, the latter by a job."""
    folder = tmp_path_factory.mktemp("audited")
    plan = finished(folder, audit=AUDIT)
    work = Work.of(f"{folder}/audit_packs", AuditedBlocks.of(plan).judge(), 1)
    work.freeze()
    (name,), (receipt,) = work.packs, work.receipts
    with pytest.raises(DataError, match="has no pack"):
        audit_shards("beef", folder=str(folder), receipt=receipt)
    audit_shards(name, folder=str(folder), receipt=receipt)
    assert json.loads(Path(receipt).read_text()) == {"datasets": 4, "statuses": {}}
    return folder


def table(folder: Path, out: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put the audit together, and return its table and its summary."""
    files = (out / "audit.parquet", out / "audit.csv")
    audit_table(str(folder), audit_table=str(files[0]), by_cell=str(files[1]))
    return pd.read_parquet(files[0]), pd.read_csv(files[1])


def test_the_table_holds_the_numbers_of_the_study(folder: Path, tmp_path: Path) -> None:
    found, by_cell = table(folder, tmp_path)
    plan = AuditedBlocks.of(finished(folder, audit=AUDIT)).plan
    mine = rows(plan, "estimates").to_pandas()
    keys = ["clusters", "sim", "strategy", "term"]
    both = found.merge(mine, on=keys, suffixes=("", "_study"), validate="1:1")
    assert len(both) == len(found) == 2 * 2 * 2 * 4
    for name in ("estimate", "std_error", "df"):
        assert (both[name] == both[f"{name}_study"]).all()
    assert set(found["verdict"]) == {"agree"} and set(found["sim"]) == {0, 1}
    assert by_cell["sims"].tolist() == [2] * 4
    assert set(by_cell["strategy"]) == {"cluster_robust", "two_stage"}


def test_a_damaged_audit_is_repaired(folder: Path, tmp_path: Path) -> None:
    before, _ = table(folder, tmp_path)
    shards = contents(folder)
    file = next((folder / "audit").rglob("*.parquet"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    again, _ = table(folder, tmp_path)
    pd.testing.assert_frame_equal(before, again)
    assert contents(folder) == shards


def test_a_study_without_an_audit_is_refused(tmp_path: Path) -> None:
    finished(tmp_path)
    with pytest.raises(DataError, match="the config has no 'audit:'"):
        table(tmp_path, tmp_path)
    assert not (tmp_path / "audit.parquet").exists()

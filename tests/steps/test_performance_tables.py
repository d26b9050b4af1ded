"""The step that writes the tables of performance: what it reads, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from clustrategy.core.errors import DataError
from clustrategy.study.plan import read_plan
from clustrategy.study.study import Study
from tests.evaluation.made_up import CONFIG, LABELS, SIMS, perform, write_study


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_size_of_row_groups_changes_nothing() -> None:
    study, _ = write_study()
    first = perform(study)
    for name in ("estimates", "fits", "truth"):
        path = f"{study.folder}/{name}.parquet"
        pq.write_table(pq.read_table(path), path, row_group_size=7)
    for before, after in zip(first, perform(study), strict=True):
        pd.testing.assert_frame_equal(before, after)


def test_tables_of_another_study_are_refused() -> None:
    study, _ = write_study()
    more = Study.from_config({**CONFIG, "sims": 41})
    more.plan.write()
    with pytest.raises(DataError, match=r"truth\.parquet: is not of the study's sims"):
        perform(more)
    fewer = Study.from_config({**CONFIG, "sims": 39})
    fewer.plan.write()
    with pytest.raises(DataError, match=r"(truth|fits)\.parquet: is not of the study's"):
        perform(fewer)
    wider = Study.from_config({**CONFIG, "grid": {**CONFIG["grid"], "clusters": [6, 8]}})
    wider.plan.write()
    with pytest.raises(DataError, match=r"truth\.parquet: holds fewer rows than the study"):
        perform(wider)
    study.plan.write()
    truth = Path(study.folder, "truth.parquet")
    table = pq.read_table(truth)
    pq.write_table(table.slice(4), truth)
    with pytest.raises(DataError, match=r"truth\.parquet: is not of the study's sims"):
        perform(study)
    pq.write_table(table.slice(0, SIMS * 2), truth)
    with pytest.raises(DataError, match=r"truth\.parquet: holds fewer rows than the study"):
        perform(study)
    pq.write_table(table, truth)
    replace(study.plan, labels=["A", "C", "B"]).write()
    with pytest.raises(DataError, match=r"fits\.parquet: is not of the study's strategies"):
        perform(study)
    replace(study.plan, labels=[*LABELS, *LABELS]).write()
    with pytest.raises(DataError, match=r"estimates\.parquet: holds fewer rows than the study"):
        perform(study)
    assert not Path(study.folder, "performance.parquet").exists()
    assert read_plan(study.folder).labels != LABELS


@pytest.mark.parametrize("name", ["estimates", "fits", "truth"])
@pytest.mark.parametrize("damage", ["flipped", "cut off", "empty", "missing"])
def test_a_damaged_table_is_named(name: str, damage: str) -> None:
    study, _ = write_study()
    path = Path(study.folder, f"{name}.parquet")
    content = bytearray(path.read_bytes())
    group = pq.read_metadata(path).row_group(0)
    column = {"estimates": "estimate", "fits": "status", "truth": "value"}[name]
    place = next(
        group.column(k)
        for k in range(group.num_columns)
        if group.column(k).path_in_schema == column
    )
    start = place.dictionary_page_offset or place.data_page_offset
    content[start + place.total_compressed_size - 1] ^= 1
    match damage:
        case "flipped":
            path.write_bytes(content)
        case "cut off":
            path.write_bytes(content[:-200])
        case "empty":
            path.write_bytes(b"")
        case _:
            path.unlink()
    with pytest.raises(DataError, match=rf"{name}\.parquet: cannot be read"):
        perform(study)
    assert not Path(study.folder, "performance.parquet").exists()

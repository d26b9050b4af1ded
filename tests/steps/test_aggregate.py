"""The whole tables: rows in order, faults in shards repaired, no dependence on the cut."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustrategy.core.errors import DataError
from clustrategy.steps import aggregate as step
from clustrategy.steps.aggregate import aggregate
from clustrategy.study import shards as shards_module
from clustrategy.study.plan import Plan, read_plan
from clustrategy.study.shards import read
from clustrategy.tables.files import read_parquet
from tests.study.cheap import (
    CHEAP,
    KINDS,
    contents,
    dates,
    finished,
    planned,
    rows,
    shards_of,
    work_off,
)

CSV = ("sim_results", "sim_estimates")


def whole(folder: str | Path, *, csv: bool = True) -> dict[str, bytes]:
    """Aggregate a study, and return what the files hold."""
    out = {kind: f"{folder}/whole/{kind}.parquet" for kind in KINDS}
    out |= {name: f"{folder}/whole/{name}.csv" for name in CSV if csv}
    aggregate(str(folder), **out)
    return {name: Path(file).read_bytes() for name, file in out.items()}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """The folder of a finished study, to be copied, and its whole tables."""
    folder = tmp_path_factory.mktemp("finished")
    finished(folder)
    tables = whole(folder)
    shutil.rmtree(folder / "whole")
    return folder, tables


@pytest.fixture
def plan(done: tuple[Path, dict[str, bytes]], tmp_path: Path) -> Plan:
    """The plan of a finished study."""
    return read_plan(str(shutil.copytree(done[0], tmp_path / "study")))


@pytest.fixture
def tables(done: tuple[Path, dict[str, bytes]]) -> dict[str, bytes]:
    """What the whole tables are to hold."""
    return done[1]


def test_the_tables_are_the_shards_one_after_the_other(plan: Plan, tables: Any) -> None:
    """Put together here by pandas."""
    for kind in KINDS:
        found = pd.read_parquet(pa.BufferReader(tables[kind]))
        mine = rows(plan, kind).to_pandas()
        mine["obs_per_cluster"], mine["between_cluster_sigma"] = 6, 0.5
        keys = ["clusters", "sim"]
        if kind != "truth":
            place = mine["strategy"].map({label: k for k, label in enumerate(plan.labels)})
            mine, keys = mine.assign(place=place), [*keys, "place"]
        mine = mine.sort_values(keys, kind="stable").reset_index(drop=True)
        assert list(found)[:3] == ["clusters", "obs_per_cluster", "between_cluster_sigma"]
        pd.testing.assert_frame_equal(found, mine[list(found)], check_exact=True)


def test_the_tables_say_where_they_are_from(plan: Plan) -> None:
    whole(plan.folder)
    for kind in KINDS:
        metadata = pq.read_schema(f"{plan.folder}/whole/{kind}.parquet").metadata
        assert metadata == {
            b"clustrategy.study": b"cheap",
            b"clustrategy.version": plan.version.encode(),
            b"clustrategy.plan": plan.digest.encode(),
        }


def test_the_texts_for_people(plan: Plan) -> None:
    whole(plan.folder)
    folder = Path(plan.folder, "whole")
    scores, estimates, truth = (
        pd.read_parquet(folder / f"{kind}.parquet") for kind in ("scores", "estimates", "truth")
    )
    results = pd.read_csv(folder / "sim_results.csv", float_precision="round_trip")
    pd.testing.assert_frame_equal(results, scores, check_exact=True)
    found = pd.read_csv(folder / "sim_estimates.csv", float_precision="round_trip")
    keys = ["clusters", "obs_per_cluster", "between_cluster_sigma", "sim", "term"]
    expected = estimates.merge(truth, on=keys, how="left", validate="m:1")
    expected = expected.rename(columns={"value": "true_value"}).drop(columns="p_value_nulls")
    assert expected["true_value"].notna().all()
    pd.testing.assert_frame_equal(found, expected, check_exact=True, check_dtype=False)


def test_texts_are_written_where_they_are_wanted(plan: Plan, tables: dict[str, bytes]) -> None:
    found = whole(plan.folder, csv=False)
    assert found == {kind: tables[kind] for kind in KINDS}
    assert not list(Path(plan.folder).rglob("*.csv"))


@pytest.mark.parametrize("size", [1, 3, "auto"])
def test_the_cut_into_blocks_changes_no_bit(
    tmp_path: Path, tables: dict[str, bytes], size: int | str
) -> None:
    plan = finished(tmp_path, sims_per_shard=size)
    assert len(plan.blocks) == (6 if size == 1 else 2)
    assert whole(tmp_path) == tables


def test_cells_may_differ_in_the_number_of_coefficients(tmp_path: Path) -> None:
    """And their blocks be many: the first is full at 50 sims."""
    grid = {
        "clusters": [5],
        "obs_per_cluster": [6],
        "between_cluster_sigma": [1],
        "predictors": [1, 2],
        "residual_sigma": [0.5, 2],
    }
    strategies = ["cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept"]
    changes = {"grid": grid, "sims": 52, "strategies": strategies}
    auto = finished(tmp_path / "auto", **changes, sims_per_shard="auto")
    cell = "clusters=5/obs_per_cluster=6/between_cluster_sigma=1/predictors=1/residual_sigma=0.5"
    assert sorted(path.name for path in (tmp_path / "auto/fits" / cell).iterdir()) == [
        "sims=0-49.parquet",
        "sims=50-51.parquet",
    ]
    parts = finished(tmp_path / "parts", **changes, sims_per_shard=23)
    assert whole(auto.folder) == whole(parts.folder)


def test_one_cell_at_a_time_is_in_memory(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """No shard of a cell is read before the cell before it is written."""
    seen: list[str] = []
    known_read, known_parts = shards_module.read, step.parquet_parts

    def spied_read(shards: Any, kind: str) -> pa.Table:
        seen.append(f"read {shards.block.cell['clusters']}")
        return known_read(shards, kind)

    def spied_parts(path: str, metadata: Any) -> Any:
        class Parts:
            def __enter__(self) -> Callable[[pa.Table], None]:
                self.inner = known_parts(path, metadata)
                write = self.inner.__enter__()

                def spied(table: pa.Table) -> None:
                    seen.append(f"write {table['clusters'][0]}")
                    write(table)

                return spied

            def __exit__(self, *error: Any) -> Any:
                return self.inner.__exit__(*error)

        return Parts()

    monkeypatch.setattr(shards_module, "read", spied_read)
    monkeypatch.setattr(step, "parquet_parts", spied_parts)
    whole(plan.folder)
    order = [what for k, what in enumerate(seen) if k == 0 or seen[k - 1] != what]
    assert order == ["read 5", "write 5", "read 7", "write 7"]
    for kind in KINDS:
        assert pq.read_metadata(f"{plan.folder}/whole/{kind}.parquet").num_row_groups == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_shard_is_repaired_and_said(
    plan: Plan, tables: dict[str, bytes], capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    before = contents(plan.folder)
    file = shards_of(plan)[1].file(kind)
    content = bytearray(file.read_bytes())
    content[40] ^= 1
    file.write_bytes(content)
    assert work_off(plan) == 0, "its rows are not read"
    assert whole(plan.folder) == tables
    said = "clustrategy: 1 block was damaged and made again\n"
    assert capsys.readouterr() == ("", said)
    shutil.rmtree(f"{plan.folder}/whole")
    assert contents(plan.folder) == before
    assert whole(plan.folder) == tables
    assert capsys.readouterr() == ("", "")


def test_several_damaged_shards_are_counted_by_block(
    plan: Plan, tables: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, _, last = shards_of(plan)
    for shards, kind in ((first, "fits"), (first, "truth"), (second, "fits"), (last, "scores")):
        shards.file(kind).write_bytes(b"")
    assert whole(plan.folder) == tables
    assert capsys.readouterr().err == "clustrategy: 3 blocks were damaged and made again\n"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["cell", "block", "seed", "option"])
def test_stale_shards_never_get_in(
    plan: Plan, tables: dict[str, bytes], tmp_path: Path, kind: str, source: str
) -> None:
    """Even where they come after the study was judged."""
    other = finished(tmp_path / "seed", seed=2)
    by_statsmodels = {"strategy": "two_stage", "engine": "statsmodels"}
    option = finished(tmp_path / "option", strategies=["cluster_robust", by_statsmodels])
    origin = {
        "cell": shards_of(plan)[2],
        "block": shards_of(plan)[1],
        "seed": shards_of(other)[0],
        "option": shards_of(option)[0],
    }[source]
    shutil.copy2(origin.file(kind), shards_of(plan)[0].file(kind))
    assert whole(plan.folder) == tables


def test_a_shard_that_lacks_a_strategy_gets_it(tmp_path: Path, fitted: list[str]) -> None:
    finished(tmp_path, strategies=["two_stage"])
    del fitted[:]
    plan = planned(tmp_path)
    plan.write()
    whole(tmp_path)
    assert fitted == ["cluster_robust", "two_stage"] * 4, "afresh, since it should have been made"
    found = read_parquet(tmp_path / "whole/fits.parquet")
    assert found["strategy"].to_pylist() == ["cluster_robust", "two_stage"] * 6


def test_rows_of_strategies_that_are_gone_do_not_get_in(
    plan: Plan, tables: dict[str, bytes], fitted: list[str]
) -> None:
    folder = Path(plan.folder)
    work_off(planned(folder, strategies=["ols", *plan.labels]))
    assert read(shards_of(plan)[0], "fits").num_rows == 4
    assert whole(folder) == tables
    del fitted[:]
    backwards = planned(folder, strategies=["two_stage", "cluster_robust"])
    backwards.write()
    whole(folder)
    found = read_parquet(folder / "whole/scores.parquet")
    assert found["strategy"].to_pylist() == ["two_stage", "cluster_robust"] * 6
    assert fitted == []


def test_what_cannot_be_written_is_not_there(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, tables: dict[str, bytes]
) -> None:
    whole(plan.folder)
    before = dates(plan.folder)
    known = step.with_cell

    def full(cell: Any, table: pa.Table) -> pa.Table:
        if cell["clusters"] == 7:
            raise OSError(28, "No space left on device")
        return known(cell, table)

    monkeypatch.setattr(step, "with_cell", full)
    with pytest.raises(DataError, match="could not be written"):
        whole(plan.folder)
    assert dates(plan.folder) == before


def test_a_damaged_plan_is_refused(plan: Plan) -> None:
    Path(plan.folder, "study.json").write_text("{}")
    with pytest.raises(DataError, match=r"study\.json: is not there or damaged"):
        whole(plan.folder)
    assert not Path(plan.folder, "whole").exists()


def test_random_faults_leave_no_trace(
    plan: Plan, tables: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Flipped bits, lost and swapped files, in shards that may hold all or only be judged."""
    rng = random.Random(2)
    before = contents(plan.folder)
    files = [Path(plan.folder, path) for path in before]
    for trial in range(60):
        file = rng.choice(files)
        content = bytearray(file.read_bytes())
        for _ in range(rng.choice([1, 1, 1, 3])):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        file.write_bytes(content)
        if trial % 12 == 0:
            rng.choice(files).unlink(missing_ok=True)
        if trial % 12 == 6:
            one = rng.choice(files)
            one.write_bytes(before[str(rng.choice(files).relative_to(plan.folder))])
        if trial % 3 == 0:
            work_off(plan)
        found = whole(plan.folder)
        assert found == tables, (trial, file)
        assert {p: c for p, c in contents(plan.folder).items() if p in before} == before
    assert "damaged and made again" in capsys.readouterr().err


def test_random_faults_in_all_shards_at_once(plan: Plan, tables: dict[str, bytes]) -> None:
    rng = np.random.default_rng(3)
    files = [Path(plan.folder, path) for path in contents(plan.folder)]
    for _ in range(4):
        for file in files:
            content = np.frombuffer(file.read_bytes(), dtype=np.uint8).copy()
            content[rng.integers(content.size)] ^= np.uint8(1 << rng.integers(8))
            file.write_bytes(content.tobytes())
        work_off(plan)
        assert whole(plan.folder) == tables


def test_the_grid_of_the_study_is_that_of_the_tables(tables: dict[str, bytes]) -> None:
    scores = pq.read_table(pa.BufferReader(tables["scores"])).to_pandas()
    assert scores["clusters"].drop_duplicates().tolist() == CHEAP["grid"]["clusters"]
    assert len(scores) == 2 * 3 * 2

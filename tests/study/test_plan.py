"""Plans: files that say what a study consists of, and are never read as another plan."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from clustrategy.core.errors import DataError
from clustrategy.study.plan import FILE, Plan, read_plan, stored
from tests.study.cheap import CHEAP, LABELS, dates, planned

GRID = {
    **CHEAP["grid"],
    "coefficients": [[0, 0, 0.2, 0.5], {"uniform": [0, 1]}],
    "treatment": ["within"],
    "predictor_icc": [0.5, [0, 1.0]],
}
AUDIT = {"engine": "lme4", "sims": 2}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"grid": GRID},
        {"audit": AUDIT},
        {"strategies": ["two_stage", "gee"]},
        {"strategies": ["wild_cluster_bootstrap"]},
    ],
)
def test_a_plan_reads_back(tmp_path: Path, changes: dict[str, Any]) -> None:
    plan = planned(tmp_path, **changes)
    plan.write()
    again = read_plan(str(tmp_path))
    assert again.digest == plan.digest
    assert again.blocks == plan.blocks
    assert [again.blocks_of(place) for place in range(len(plan.cells))] == [
        plan.blocks_of(place) for place in range(len(plan.cells))
    ]
    assert [*again.labels] == [*plan.labels]
    assert again.audit == plan.audit
    assert (again.study, again.version, again.folder) == ("cheap", plan.version, str(tmp_path))
    for block in plan.blocks:
        assert again.recipe.digests(block) == plan.recipe.digests(block)


def test_a_plan_is_written_only_when_it_changes(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    plan.write()
    before = dates(tmp_path)
    assert list(before) == [FILE]
    plan.write()
    planned(tmp_path, performance={"alpha": 0.1}).write()
    assert dates(tmp_path) == before
    planned(tmp_path, sims=4).write()
    assert dates(tmp_path) != before
    assert [block.last for block in read_plan(str(tmp_path)).blocks] == [1, 3] * 2
    for damaged in (b"", b"\xff\xfe", b"[]"):
        (tmp_path / FILE).write_bytes(damaged)
        plan.write()
        assert read_plan(str(tmp_path)).digest == plan.digest


def test_a_damaged_plan_is_never_read_as_another(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    plan.write()
    file = tmp_path / FILE
    content, known = file.read_bytes(), stored(str(tmp_path))
    assert known is not None and known["seed"] == 1
    rng = random.Random(1)
    whole = 0
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.randrange(8)
        file.write_bytes(damaged)
        found = stored(str(tmp_path))
        assert found is None or found == known
        whole += found is not None
    assert whole < len(content) / 2, "white space alone may change"
    texts = ["", "{}", "[]", "null", "3", '"digest"', content[:-3].decode()]
    for text in texts:
        file.write_text(text)
        assert stored(str(tmp_path)) is None
        with pytest.raises(DataError, match=r"study\.json: is not there or damaged; run again"):
            read_plan(str(tmp_path))
    file.unlink()
    assert stored(str(tmp_path)) is None


def test_a_value_that_is_edited_is_damage(tmp_path: Path) -> None:
    planned(tmp_path).write()
    file = tmp_path / FILE
    content = json.loads(file.read_text())
    for key in content:
        if key != "digest":
            file.write_text(json.dumps({**content, key: "edited"}))
            assert stored(str(tmp_path)) is None
    file.write_text(json.dumps(content))
    assert stored(str(tmp_path)) is not None


@pytest.mark.parametrize(
    "changes",
    [{"sims_per_shard": 1}, {"sims_per_shard": "auto"}, {"audit": AUDIT}, {"figures": {}}],
)
def test_the_digest_is_that_of_the_whole_tables(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert planned(tmp_path, **changes).digest == planned(tmp_path / "elsewhere").digest


@pytest.mark.parametrize(
    "changes",
    [
        {"sims": 4},
        {"seed": 2},
        {"study": "other"},
        {"strategies": list(LABELS[:1])},
        {"strategies": list(reversed(LABELS))},
        {"strategies": [{"strategy": "cluster_robust", "variance": "CR0"}, "two_stage"]},
        {"grid": {**CHEAP["grid"], "clusters": [7, 5]}},
        {"dgp": {"residual_sigma": 2.0}},
    ],
)
def test_other_whole_tables_have_another_digest(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert planned(tmp_path, **changes).digest != planned(tmp_path).digest


def test_code_enters_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = planned(tmp_path).digest
    monkeypatch.setattr("clustrategy.engines.chosen.code_digest", lambda files: "other code")
    assert planned(tmp_path).digest != before


def test_blocks_are_in_the_order_of_cells_and_sims(tmp_path: Path) -> None:
    plan: Plan = planned(tmp_path)
    found = [(block.cell["clusters"], block.first, block.last) for block in plan.blocks]
    assert found == [(5, 0, 1), (5, 2, 2), (7, 0, 1), (7, 2, 2)]


def test_whole_tables_follow_from_the_effects_where_something_resamples(tmp_path: Path) -> None:
    other = {"effects": [0.4], "effect": 0.4}
    assert planned(tmp_path).digest == planned(tmp_path, verdict=other).digest
    resampling = {"strategies": ["wild_cluster_bootstrap", *LABELS]}
    plan = planned(tmp_path, **resampling)
    assert plan.digest != planned(tmp_path, **resampling, verdict=other).digest

"""Packs: each block in one of them, of about equal cost, and named by what they make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.errors import DataError
from clustrategy.study.blocks import Block
from clustrategy.study.packs import (
    PACKS,
    Pack,
    Tally,
    Task,
    carry,
    pack,
    pack_of,
    read_packs,
    receipt,
    tally,
    write_packs,
)

NOWHERE = "/nonexistent"


def tasks(seconds: Sequence[float]) -> list[Task]:
    """Return blocks of a cell that cost so much."""
    return [
        Task(Block({"clusters": 5}, k, k), f"digest {k}", cost) for k, cost in enumerate(seconds)
    ]


@given(st.lists(st.floats(1e-4, 100), max_size=60), st.integers(1, 32))
def test_every_block_is_in_one_pack(seconds: list[float], cores: int) -> None:
    given_tasks = tasks(seconds)
    packs = pack(given_tasks, cores, NOWHERE)
    packed = [block for one in packs.values() for block in one.blocks]
    assert sorted(block.first for block in packed) == list(range(len(seconds)))
    for one in packs.values():
        assert one.blocks
        assert [*one.blocks] == sorted(one.blocks, key=lambda block: block.first)
        assert one.seconds == pytest.approx(sum(seconds[block.first] for block in one.blocks))
    loads = [one.seconds for one in packs.values()]
    if loads:
        assert max(loads) - min(loads) <= max(seconds) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("seconds", "cores", "jobs"),
    [
        ([0.5] * 8, 2, 2),
        ([0.5] * 4, 2, 1),
        ([0.01] * 100, 2, 1),
        ([6.0] * 100, 2, 10),
        ([6.0] * 100, 16, 16),
        ([6.0] * 101, 2, 11),
        ([0.5] * 40, 64, 10),
        ([1e-3], 2, 1),
        ([600.0], 2, 1),
        ([30.0, 30.0, 30.0], 64, 3),
        ([], 2, 0),
    ],
)
def test_jobs_keep_the_cores_busy_and_are_worth_their_start(
    seconds: list[float], cores: int, jobs: int
) -> None:
    packs = pack(tasks(seconds), cores, NOWHERE)
    assert len(packs) == jobs
    if jobs:
        mean = sum(seconds) / jobs
        assert all(abs(one.seconds - mean) <= max(seconds) for one in packs.values())


def test_a_name_tells_what_a_pack_makes_and_no_more() -> None:
    both = tasks([1.0, 2.0])
    (name,) = pack(both, 1, NOWHERE)
    (costly,) = pack(tasks([3.0, 4.0]), 1, NOWHERE)
    assert costly == name, "what it costs is of no account"
    (other,) = pack(both[:1], 1, NOWHERE)
    changed = [both[0], Task(both[1].block, "another digest", 2.0)]
    (stale,) = pack(changed, 1, NOWHERE)
    assert len({name, other, stale}) == 3
    assert len(name) == 12 and set(name) <= set("0123456789abcdef")


def test_a_pack_that_is_made_again_has_a_number(tmp_path: Path) -> None:
    two = tasks([1.0])
    (name,) = pack(two, 1, str(tmp_path))
    for number in (2, 3, 4):
        receipt(str(tmp_path), name).touch()
        (again,) = pack(two, 1, str(tmp_path))
        assert not receipt(str(tmp_path), again).exists()
        (first,) = pack(two, 1, NOWHERE)
        assert again == f"{first}-{number}"
        name = again


def test_packs_read_back(tmp_path: Path) -> None:
    path = tmp_path / PACKS
    cells: list[dict[str, Any]] = [
        {"clusters": 5, "between_cluster_sigma": 1.0},
        {"clusters": 5, "coefficients": {"uniform": [0.0, 1.0]}, "treatment": "within"},
        {"clusters": 5, "predictor_icc": [0.1, 1e-5]},
    ]
    packs = {
        f"{k:012x}": Pack([Block(cell, 0, 49), Block(cell, 50, 52)], 0.1 + k)
        for k, cell in enumerate(cells)
    }
    write_packs(packs, path)
    again = read_packs(path)
    assert again == packs
    assert [b.path for b in again["0" * 11 + "1"].blocks] == [
        "clusters=5/coefficients=uniform,0,1/treatment=within/sims=0-49.parquet",
        "clusters=5/coefficients=uniform,0,1/treatment=within/sims=50-52.parquet",
    ]
    assert pack_of(path, "0" * 12) == packs["0" * 12]
    with pytest.raises(DataError, match=r"packs\.json: has no pack 'beef'; run again"):
        pack_of(path, "beef")
    write_packs({}, path)
    assert read_packs(path) == {}


def test_damaged_packs_are_none(tmp_path: Path) -> None:
    path = tmp_path / PACKS
    assert read_packs(path) == {}
    packs = pack(tasks([1.0, 2.0, 3.0]), 3, NOWHERE)
    write_packs(packs, path)
    content = path.read_bytes()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 7
        path.write_bytes(damaged)
        assert read_packs(path) in ({}, packs)
    for text in (b"", content[:50], b"[]", b"{}", b"3", b"null", b"\xff", b'{"packs": 1}'):
        path.write_bytes(text)
        assert read_packs(path) == {}


def test_a_job_says_how_far_it_is_and_at_last_what_it_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clustrategy.study.packs.EVERY", 0.0)
    blocks = [Block({"clusters": 5}, 0, 49), Block({"clusters": 5}, 50, 51), Block({}, 0, 0)]
    write_packs({"beef": Pack(blocks, 1.0)}, tmp_path / PACKS)
    file = receipt(str(tmp_path), "beef")
    found = []

    def make(block: Block) -> dict[str, int]:
        found.append(tally(file))
        return {"ok": len(block.sims), "error": 1} if block.cell else {}

    carry("beef", str(file), make)
    assert found == [
        Tally(),
        Tally(50, {"ok": 50, "error": 1}),
        Tally(52, {"ok": 52, "error": 2}),
    ]
    assert tally(file) == Tally(53, {"ok": 52, "error": 2})
    assert {path.name for path in tmp_path.iterdir()} == {PACKS, "beef.json"}


def test_a_receipt_of_an_older_version_is_one_all_the_same(tmp_path: Path) -> None:
    file = receipt(str(tmp_path), "beef")
    file.write_text('{"blocks": 3}')
    assert tally(file) == Tally()

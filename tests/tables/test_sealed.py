"""Sealed files: any flipped bit is noticed, wherever it is."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustrategy.core.errors import DataError
from clustrategy.tables.sealed import BLANK, SEAL, read_sealed, write_sealed

TABLE = pa.table(
    {
        "sim": pa.array([0, 1, 2], pa.int64()),
        "text": ["x", BLANK, None],
        "number": [0.1, float("nan"), -0.0],
        "list": pa.array([[1.0], [], [0.5, 2.0]], pa.list_(pa.float64())),
    }
)


def test_a_table_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "sealed.parquet"
    write_sealed(TABLE, path, {"key": "value"})
    again = read_sealed(path)
    assert repr(again.to_pydict()) == repr(TABLE.to_pydict())
    assert again.schema.equals(TABLE.schema) and again.schema.metadata is None
    assert list(path.parent.iterdir()) == [path]
    content = path.read_bytes()
    write_sealed(TABLE, path, {"key": "value"})
    assert path.read_bytes() == content
    write_sealed(TABLE.slice(0, 0), path, {})
    assert read_sealed(path).num_rows == 0


def test_a_sealed_file_is_a_parquet_file_like_others(tmp_path: Path) -> None:
    path = tmp_path / "sealed.parquet"
    write_sealed(TABLE, path, {"key": "value"})
    assert pq.read_table(path).equals(TABLE.slice(0)) is False, "NaN is not NaN"
    assert repr(pq.read_table(path).to_pydict()) == repr(TABLE.to_pydict())
    metadata = pq.read_metadata(path).metadata
    assert metadata[b"key"] == b"value"
    assert metadata[SEAL.encode()] != BLANK.encode()


def test_any_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "sealed.parquet"
    write_sealed(TABLE, path, {"key": "value"})
    content = path.read_bytes()
    rng = random.Random(1)
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"sealed\.parquet: (is damaged|cannot be read)"):
            read_sealed(path)


def test_other_programs_can_tell_that_rows_are_damaged(tmp_path: Path) -> None:
    """By the checksums of pages, which are Parquet's own."""
    path = tmp_path / "sealed.parquet"
    table = pa.table({"number": np.random.default_rng(1).standard_normal(100)})
    write_sealed(table, path, {})
    content = bytearray(path.read_bytes())
    content[400] ^= 1
    path.write_bytes(content)
    assert not pq.read_table(path).equals(table)
    with pytest.raises(OSError, match="CRC checksum"):
        pq.read_table(path, page_checksum_verification=True)


@pytest.mark.parametrize("damage", ["empty", "cut off", "longer", "no seal", "another seal"])
def test_what_is_not_as_it_was_written_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "sealed.parquet"
    write_sealed(TABLE, path, {})
    content = path.read_bytes()
    match damage:
        case "empty":
            path.write_bytes(b"")
        case "cut off":
            path.write_bytes(content[:-20])
        case "longer":
            path.write_bytes(content[:4] + b"0" + content[4:])
        case "no seal":
            pq.write_table(TABLE, path)
        case _:
            pq.write_table(TABLE.replace_schema_metadata({SEAL: BLANK}), path)
    with pytest.raises(DataError, match=r"sealed\.parquet: "):
        read_sealed(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.parquet: cannot be read"):
        read_sealed(tmp_path / "none.parquet")

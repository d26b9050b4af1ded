"""Receipts: files are good where they are whole and made from what they should be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clustrategy.runtime.receipts import (
    are_good,
    receipt_file,
    remove_unwanted,
    write_receipt,
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of a job that wrote two files and a receipt."""
    for name in ("one", "other"):
        (tmp_path / name).write_bytes(bytes(range(256)))
    path = tmp_path / "results" / "logs" / "figures" / "bias.log"
    write_receipt(path, "origin", files(tmp_path))
    return path


def files(folder: Path) -> list[str]:
    """Return the files of the job."""
    return [str(folder / "one"), str(folder / "other")]


def test_a_receipt_stands_beside_the_logs(log: Path, tmp_path: Path) -> None:
    expected = tmp_path / "results" / "receipts" / "figures" / "bias.json"
    assert receipt_file(log) == receipt_file(str(log)) == expected
    assert expected.exists()
    odd = Path("logs/results/logs/logs.b.log")
    assert receipt_file(odd) == Path("logs/results/receipts/logs.b.json")


def test_what_was_made_is_good(log: Path, tmp_path: Path) -> None:
    assert are_good(log, "origin", files(tmp_path))
    assert are_good(log, "origin", files(tmp_path)[:1])
    assert are_good(str(log), "origin", reversed(files(tmp_path)))
    (tmp_path / "one").write_bytes(bytes(range(256)))
    assert are_good(log, "origin", files(tmp_path)), "the clock is of no account"


def test_another_origin_is_not_good(log: Path, tmp_path: Path) -> None:
    assert not are_good(log, "another origin", files(tmp_path))
    write_receipt(log, "another origin", files(tmp_path))
    assert are_good(log, "another origin", files(tmp_path))
    assert not are_good(log, "origin", files(tmp_path))


@pytest.mark.parametrize("name", ["one", "other"])
@pytest.mark.parametrize("place", [0, 100, 255])
def test_a_changed_byte_is_not_good(log: Path, tmp_path: Path, name: str, place: int) -> None:
    content = bytearray(range(256))
    content[place] ^= 1
    (tmp_path / name).write_bytes(content)
    assert not are_good(log, "origin", files(tmp_path))


@pytest.mark.parametrize("name", ["one", "other"])
def test_a_file_that_is_missing_cut_off_or_unknown_is_not_good(
    log: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "unknown").write_bytes(bytes(range(256)))
    assert not are_good(log, "origin", [*files(tmp_path), str(tmp_path / "unknown")])
    for content in (b"", bytes(range(255)), bytes(257)):
        (tmp_path / name).write_bytes(content)
        assert not are_good(log, "origin", files(tmp_path))
    (tmp_path / name).unlink()
    assert not are_good(log, "origin", files(tmp_path))
    (tmp_path / name).mkdir()
    assert not are_good(log, "origin", files(tmp_path))


def test_a_receipt_that_is_missing_or_damaged_is_not_good(log: Path, tmp_path: Path) -> None:
    receipt = receipt_file(log)
    content = receipt.read_bytes()
    known = json.loads(content)
    for damaged in (b"", b"[]", b"{}", b"3", b"null", b"\xff", content[:-4]):
        receipt.write_bytes(damaged)
        assert not are_good(log, "origin", files(tmp_path))
    for key, value in (("files", []), ("files", None), ("files", "text"), ("made_from", None)):
        receipt.write_text(json.dumps({**known, key: value}))
        assert not are_good(log, "origin", files(tmp_path))
    receipt.write_text(json.dumps(known))
    assert are_good(log, "origin", files(tmp_path))
    receipt.unlink()
    assert not are_good(log, "origin", files(tmp_path))


def test_a_flipped_byte_of_a_receipt_makes_no_bad_file_good(log: Path, tmp_path: Path) -> None:
    receipt = receipt_file(log)
    content = receipt.read_bytes()
    (tmp_path / "one").write_bytes(b"other content")
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 7
        receipt.write_bytes(damaged)
        assert not are_good(log, "origin", files(tmp_path))


def test_files_that_a_study_does_not_want_any_more_are_removed(log: Path, tmp_path: Path) -> None:
    one, other = files(tmp_path)
    folder = str(tmp_path / "results")
    remove_unwanted(folder, ["figures", "aggregate"], [one, other])
    assert Path(one).exists() and Path(other).exists()
    remove_unwanted(folder, ["aggregate"], [])
    assert Path(one).exists(), "only the receipts of the rules given are looked through"
    remove_unwanted(folder, ["figures"], [one])
    assert Path(one).exists() and not Path(other).exists()
    assert receipt_file(log).exists()
    remove_unwanted(folder, ["figures"], [])
    assert not Path(one).exists() and not receipt_file(log).exists()
    remove_unwanted(folder, ["figures"], [])

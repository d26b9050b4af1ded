"""Digests of plain values and of files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.digests import digest, file_digest

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside),
    max_leaves=8,
)


@given(PLAIN)
def test_values_that_went_through_a_file_have_the_same_digest(value: Any) -> None:
    assert digest(json.loads(json.dumps(value))) == digest(value)


@given(st.dictionaries(st.text(max_size=3), PLAIN))
def test_the_order_of_keys_is_of_no_account(value: dict[str, Any]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


def test_different_values_have_different_digests() -> None:
    values: list[tuple[Any, ...]] = [
        (),
        (None,),
        ("",),
        (0,),
        (0.1,),
        (0.1 + 2**-56,),
        ("0",),
        ([],),
        ({},),
        ([0],),
        (0, 0),
        ([0, 0],),
        ("a", "b"),
        ("ab",),
        ("a,b",),
        ('a","b',),
        ({"a": 1},),
        ({"a": 1, "b": 2},),
        ({"a": {"b": 2}},),
    ]
    assert len({digest(*value) for value in values}) == len(values)
    assert digest((1, 2)) == digest([1, 2]), "as JSON has it"


def test_what_is_no_plain_value_has_no_digest() -> None:
    for value in (object(), {1, 2}, b"bytes", Path("path")):
        with pytest.raises(TypeError):
            digest(value)


def test_a_digest_does_not_change_between_runs() -> None:
    """Results are judged by those of earlier runs."""
    assert digest("a", [1, 0.5]) == hashlib.sha256(b'["a",[1,0.5]]').hexdigest()


def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content in (b"", b"abc", bytes(10**6)):
        file.write_bytes(content)
        assert file_digest(file) == file_digest(str(file)) == hashlib.sha256(content).hexdigest()
    with pytest.raises(FileNotFoundError):
        file_digest(tmp_path / "none")

"""Arguments and what they are found to be, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.core.validation import arguments, described, plain

SCHEMAS = {
    "level": {"type": "number", "minimum": 0, "maximum": 1, "expected": "between 0 and 1"},
    "names": {"type": "array", "items": {"type": "string"}},
    "map": {"type": "object", "minProperties": 1, "expected": "some columns"},
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.5), 0.5),
        (np.int8(5), 5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array([1, 2]), [1, 2]),
        (pd.Index(["a"]), ["a"]),
        (("a", ("b",)), ["a", ["b"]]),
        ({"a"}, ["a"]),
        ({"a": 1}.keys(), ["a"]),
        (iter("ab"), ["a", "b"]),
        ({"a": np.array([np.int8(1)])}, {"a": [1]}),
        ("ab", "ab"),
        (None, None),
    ],
)
def test_values_as_a_schema_knows_them(value: object, expected: object) -> None:
    found = plain(value)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        ({}, "an empty mapping"),
        ({"a": 1}, "a mapping"),
        ([], "an empty list"),
        ("a\nb", r"'a\nb'"),
        (np.float64(0.5), "0.5"),
        ([1] * 1000, str([1] * 1000)[:60] + "..."),
        ("a" * 1000, "'" + "a" * 27 + "..." + "a" * 28 + "'"),
        (pd.DataFrame({"x": [1, 2]}), "a DataFrame"),
    ],
)
def test_what_is_found_in_words(value: object, words: str) -> None:
    assert described(value) == words


@pytest.mark.parametrize(
    ("given", "optional", "sentence"),
    [
        ({"level": "0.5"}, {}, "level must be between 0 and 1, found '0.5'"),
        ({"level": np.float32(7)}, {}, "level must be between 0 and 1, found 7.0"),
        ({"level": True}, {}, "level must be between 0 and 1, found True"),
        ({"level": float("nan")}, {}, "level must be between 0 and 1, found nan"),
        ({"names": None}, {}, "names must be a list, found nothing"),
        ({}, {"map": {}}, "map must be some columns, found {}"),
        ({}, {"map": 3}, "map must be some columns, found 3"),
    ],
)
def test_arguments_that_are_refused(
    given: dict[str, Any], optional: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as error:
        arguments(given, SCHEMAS, **optional)
    assert str(error.value) == sentence


def test_arguments_that_are_taken() -> None:
    found = arguments({"level": np.float64(1), "names": ("a",)}, SCHEMAS, map=None)
    assert found == {"level": 1.0, "names": ["a"]}

"""Values against a schema, what is said of them, and the arguments of functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.core.validation import (
    arguments,
    described,
    place,
    plain,
    problem,
    shown,
    with_defaults,
)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "rows": {"type": "array", "minItems": 1, "items": {"type": "number", "maximum": 1e12}},
        "name": {"type": "string", "maxLength": 3, "pattern": "^[a-z]*$", "expected": "letters"},
        "part": {"type": "object", "default": {}, "properties": {"on": {"default": True}}},
    },
}

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
        ({1: 2}, "a mapping"),
        ([], "an empty list"),
        ("a", "'a'"),
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


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ((), "the config"),
        (("grid", "clusters"), "grid.clusters"),
        (("grid", "clusters", 0), "the 1st value of grid.clusters"),
        (("a", 1, "b", 2), "the 3rd value of the 2nd value of a.b"),
        ((10,), "the 11th value of the config"),
        ((11,), "the 12th value of the config"),
        ((20,), "the 21st value of the config"),
        ((110,), "the 111th value of the config"),
        ((121,), "the 122nd value of the config"),
    ],
)
def test_places_have_names(path: tuple[str | int, ...], words: str) -> None:
    assert place(path, "the config") == words


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"rows": [1, 2, "x"]}, "the 3rd value of rows must be a number, found 'x'"),
        ({"rows": [2e12]}, "the 1st value of rows must be at most 1e+12, found 2000000000000.0"),
        ({"rows": []}, "rows needs at least 1 value, found an empty list"),
        ({"name": "abcd"}, "name must be letters, found 'abcd'"),
        ({"name": "A"}, "name must be letters, found 'A'"),
        ({"row": 1}, "unknown key 'row' (did you mean 'rows'?)"),
        ({"x" * 99: 1}, f"unknown key '{'x' * 30}'; known are rows, name, part"),
        (3, "the config must be a mapping, found 3"),
    ],
)
def test_what_is_wrong_is_one_sentence(value: Any, sentence: str) -> None:
    found = problem(value, SCHEMA, "the config")
    assert found is not None and found.sentence == sentence


def test_defaults_are_filled_in_at_all_depths() -> None:
    given = {"rows": [1]}
    assert with_defaults(given, SCHEMA) == {"rows": [1], "part": {"on": True}}
    assert given == {"rows": [1]}


@pytest.mark.parametrize(
    "value", ["x" * 10**6, [1] * 10**6, 10**4000, {"a" * 99: "b" * 99}, b"x" * 999]
)
def test_large_values_are_shown_short(value: Any) -> None:
    assert len(shown(value)) < 70
    assert shown("a short text") == "'a short text'"


def test_of_many_keys_a_sentence_names_the_first() -> None:
    properties = {f"key{number}": {"type": "number"} for number in range(1, 23)}
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    found = problem({"": 1}, schema, "all")
    assert found is not None
    assert found.sentence.endswith("key11, key12 and 10 more")

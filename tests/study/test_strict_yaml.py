"""YAML that means one thing, and the lines of what means two."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.study.strict_yaml import NotStrict, parse, written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        (
            "a: [0, -1, +2, 0.5, .5, 1., 1.5e-3, 1.0e+3]",
            {"a": [0, -1, 2, 0.5, 0.5, 1, 0.0015, 1e3]},
        ),
        ("a: 0x1F", {"a": 31}),
        ("a: [yes, no, ~, '010', \"1e3\", '2020-01-01']", None),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("x: &x {a: 1}\nb: {<<: *x, a: 2}", {"x": {"a": 1}, "b": {"a": 2}}),
        ("a: 1.2.3", {"a": "1.2.3"}),
        ("a: 1-2", {"a": "1-2"}),
        ("a: _x_1", {"a": "_x_1"}),
        ('{"a": 1e3}', {"a": 1000.0}),
        ('{\n\t"a": [true, null]}', {"a": [True, None]}),
        ("", None),
    ],
)
def test_what_means_one_thing_is_read(text: str, value: Any) -> None:
    wanted = value if value is not None or not text else yaml.safe_load(text)
    assert parse(text) == wanted


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3", 3, "the key 'a' is there twice"),
        ("a: 1\nb: {c: 2,\n  c: 3}", 3, "the key 'c' is there twice"),
        ("a:\n  - 010", 2, "010 is an octal number to some readers of YAML, something else to"),
        ("a: 08", 1, "08 is an octal number to some"),
        ("a: 0o17", 1, "0o17 is an octal number to some"),
        ("a: 0b11", 1, "0b11 is a binary number to some"),
        ("a: 1:30", 1, "1:30 is a number to base 60 to some"),
        ("a: -1:30:59.5", 1, "-1:30:59.5 is a number to base 60 to some"),
        ("a: 1_000", 1, "1_000 is a number to some"),
        ("a: 2020-01-01", 1, "2020-01-01 is a date to some"),
        ("a: 2001-12-14t21:59:43.10-05:00", 1, "is a date to some"),
        ("a: 1\nb: 1e3", 2, "1e3 is a number to some readers of YAML and text to others"),
        ("a: 1e-3", 1, "1e-3 is a number to some"),
        ("a: -1.5E3", 1, "-1.5E3 is a number to some"),
        ("a: .inf", 1, ".inf is no finite number"),
        ("a: -.INF", 1, "-.INF is no finite number"),
        ("a: .nan", 1, ".nan is no finite number"),
        ("a: !!python/object:os.system x", 1, "the tag '!!python/object:os.system' is not allowed"),
        ("a: !!str 3", 1, "the tag '!!str' is not allowed"),
        ("a: 1\nb: !mine [1]", 2, "the tag '!mine' is not allowed"),
        ("yes: 1", 1, "a key has to be text: write quotes"),
        ("a: 1\n2: 1", 2, "a key has to be text: write quotes"),
        ("? [a]\n: 1", 1, "a key has to be text: write quotes"),
        ("a: &x\n  b: *x", 2, "*x stands within what it stands for"),
        ("a: &x [1, *x]", 1, "*x stands within what it stands for"),
        ("a: *x", 1, "is not YAML: found undefined alias 'x'"),
        ("a: [1, 2\nb: 3", 2, "is not YAML: expected ',' or ']', but got ':'"),
        ("a: 'b", 1, "is not YAML: found unexpected end of stream"),
        ("a: 1\n\t- b", 2, "is not YAML: found character '\\t' that cannot start any token"),
        ("a: 1\n---\nb: 2", 2, "is not YAML: but found another document"),
        ("a: b: c", 1, "is not YAML: mapping values are not allowed here"),
        ("a: 1\nb: \x07", 2, "is not YAML: it holds the character 0x07"),
        ("a: " + "1" * 51, 1, "a number of 51 digits"),
        ("[" * 5000, None, "is nested too deeply"),
        ('{"a": ' * 5000, None, "is nested too deeply"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', None, "the key 'c' is there twice"),
        ('{"a": NaN}', None, "NaN is no finite number"),
        ('{"a": -Infinity}', None, "-Infinity is no finite number"),
    ],
)
def test_what_means_two_things_is_refused_with_its_line(
    text: str, line: int | None, words: str
) -> None:
    with pytest.raises(NotStrict) as refused:
        parse(text)
    assert words in str(refused.value)
    assert refused.value.line == line


PLAIN = st.text("0123456789abefonxysEIN_.:+-~= ", max_size=8)


@given(PLAIN)
def test_a_scalar_is_read_as_yaml_1_1_and_1_2_do_or_refused(text: str) -> None:
    """By the regular expressions of YAML 1.2's core schema, which a number there has to match."""
    try:
        value = parse(f"a: {text}")
    except NotStrict:
        return
    assert value == yaml.safe_load(f"a: {text}")
    scalar = value.get("a") if isinstance(value, dict) else None
    if isinstance(scalar, str):
        with pytest.raises(ValueError, match=r"could not convert|invalid literal"):
            float(scalar.replace("_", "x").replace("infinity", "x").replace("nan", "x") or "x")
    elif isinstance(scalar, int | float) and not isinstance(scalar, bool):
        assert scalar == (int(text, 16) if "x" in text else float(text))


def test_how_a_scalar_is_written() -> None:
    text = "a: {b: [1, yes]}\nc: 'no'\nd: On"
    assert written(text, ["a", "b", 1]) == "yes"
    assert written(text, ["d"]) == "On"
    assert written(text, ["c"]) is None, "quotes make it text"
    for path in (["e"], ["a"], ["a", "b", 2], ["d", "x"], ["a", 0]):
        assert written(text, path) is None

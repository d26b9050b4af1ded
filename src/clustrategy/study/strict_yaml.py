"""YAML that means one thing: what its readers take for different things is refused with its line.

Snakemake reads configs by YAML 1.1, people and most tools write YAML 1.2. The two differ in plain
scalars: `010` is eight or ten, `1:30` is ninety or text, `1e3` is text or a thousand. Duplicate
keys, tags and aliases within themselves are refused as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import yaml

from clustrategy.study.plain_values import MOST

LONGEST_NUMBER = 50
"""The most characters of a number."""

_SCALARS = (
    (re.compile(r"[-+]?0[0-9_]+"), "an octal number"),
    (re.compile(r"[-+]?0o[0-7]+"), "an octal number"),
    (re.compile(r"[-+]?0b[01_]+"), "a binary number"),
    (re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"), "a number to base 60"),
    (re.compile(r"[-+]?(?=[0-9.]*_)[0-9.]*[0-9][0-9_.]*([eE][-+]?[0-9]+)?"), "a number"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?"), "a date"),
)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"
_KEYS = (_TEXT, _MERGE)
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")


class NotStrict(Exception):
    """What is wrong with a text, and in which line where that is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


class _Refused(yaml.MarkedYAMLError):
    """YAML, but not as it is wanted here."""


def parse(text: str) -> Any:
    """Read a text as JSON or, where it is none, as YAML; as Snakemake does.

    Parameters
    ----------
    text : str
        A whole file.

    Returns
    -------
    object
        Mappings, lists, text, numbers, true, false and None.

    Raises
    ------
    NotStrict
        Where it is neither, or could be taken for something else.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_not_finite)
    except RecursionError:
        raise NotStrict("is nested too deeply") from None
    except ValueError:
        return _by_yaml(text, lambda loader: loader.get_single_data())


def written(text: str, path: Sequence[str | int]) -> str | None:
    """Return the plain scalar at a path as it is written in a text; None where there is none."""
    node = _by_yaml(text, lambda loader: loader.get_single_node())
    for key in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == key), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            node = node.value[key] if key < len(node.value) else None
        else:
            return None
    plain = isinstance(node, yaml.ScalarNode) and node.style is None
    return node.value if plain else None


def _by_yaml(text: str, read: Callable[[_Loader], Any]) -> Any:
    try:
        loader = _Loader(text)
        return read(loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context
        words = str(reason) if isinstance(error, _Refused) else f"is not YAML: {reason}"
        raise NotStrict(words, mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        raise NotStrict(f"is not YAML: it holds the character {code:#04x}", line) from None
    except RecursionError:
        raise NotStrict("is nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a mapping of JSON, whose keys are to differ."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NotStrict(f"the key {twice!r} is there twice")
    return mapping


def _not_finite(text: str) -> NoReturn:
    raise NotStrict(f"{text} is no finite number")


class _Loader(yaml.SafeLoader):
    """Knows plain values, and refuses what the module says."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._values: dict[int, int] = {}
        self._read = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node:
        """Read a node with all that is in it."""
        event = self.peek_event()
        mark = event.start_mark
        if (tag := getattr(event, "tag", None)) not in (None, "!"):
            short = tag.replace("tag:yaml.org,2002:", "!!")
            _refuse(f"the tag {_short(short)!r} is not allowed", mark)
        node = super().compose_node(parent, index)
        assert node is not None
        if isinstance(event, yaml.AliasEvent) and node.end_mark is None:
            _refuse(f"*{event.anchor} stands within what it stands for", mark)
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
        if isinstance(node, yaml.ScalarNode) and node.style is None:
            _check_scalar(node)
        self._values[id(node)] = values = self._count(node)
        self._read += 1
        if max(values, self._read) > MOST:
            _refuse(f"that is more than {MOST:,} values", mark)
        return node

    def _count(self, node: yaml.Node) -> int:
        """Count the values in a node, aliases written out."""
        if isinstance(node, yaml.ScalarNode):
            return 1
        parts = node.value
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in parts for part in pair]
        return 1 + sum(self._values[id(part)] for part in parts)


def _check_keys(node: yaml.MappingNode) -> None:
    known: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag not in _KEYS:
            _refuse("a key has to be text: write quotes", key.start_mark)
        if key.value in known and key.tag != _MERGE:
            _refuse(f"the key {key.value!r} is there twice", key.start_mark)
        known.add(key.value)


def _check_scalar(node: yaml.ScalarNode) -> None:
    text = node.value
    for form, words in _SCALARS:
        if form.fullmatch(text):
            _refuse(
                f"{_short(text)} is {words} to some readers of YAML, something else to others: "
                "write a plain number, or quotes for text",
                node.start_mark,
            )
    if _NOT_FINITE.fullmatch(text):
        _refuse(f"{text} is no finite number", node.start_mark)
    if node.tag == _TEXT and _NUMBER.fullmatch(text):
        _refuse(
            f"{_short(text)} is a number to some readers of YAML and text to others: write it "
            "without an exponent or as in 1.0e+3, or quotes for text",
            node.start_mark,
        )
    if len(text) > LONGEST_NUMBER and node.tag != _TEXT:
        _refuse(f"a number of {len(text):,} digits", node.start_mark)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_NUMBER else f"{text[:LONGEST_NUMBER]}..."


def _refuse(problem: str, mark: yaml.Mark) -> NoReturn:
    raise _Refused(problem=problem, problem_mark=mark)

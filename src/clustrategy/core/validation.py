"""Values against a JSON schema: defaults filled in, and one sentence for what is wrong."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from reprlib import Repr
from typing import Any

import jsonschema

from clustrategy.core.errors import ConfigError, nearest

_LONGEST, _LONGEST_KEY = 60, 30
_MOST_KEYS = 12
"""Of which a sentence lists the names."""

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = _LONGEST
_SHORT.maxdict = _SHORT.maxlist = _SHORT.maxtuple = 20

_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def _is_integer(_: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_: object, value: object) -> bool:
    return _is_integer(_, value) or (isinstance(value, float) and math.isfinite(value))


# JSON's integers include 5.0, and YAML's floats include .nan: neither is meant here.
_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a value.

    Attributes
    ----------
    path : tuple of str or int
        The keys and places that lead to what is wrong.
    sentence : str
        What is wrong: the key, what was expected and what was found.
    """

    path: tuple[str | int, ...]
    sentence: str


def problem(value: object, schema: Mapping[str, Any], whole: str) -> Problem | None:
    """Find the worst that is wrong with a value.

    Parameters
    ----------
    value : object
        Plain values: mappings, lists, text, numbers.
    schema : Mapping
        A JSON schema. A node with several forms, or with a form that is better said in other
        words, says by `expected` what it takes.
    whole : str
        What the value itself is called.

    Returns
    -------
    Problem or None
        None where nothing is wrong.
    """
    worst = jsonschema.exceptions.best_match(_Validator(schema).iter_errors(value))
    if worst is None:
        return None
    if worst.parent is not None and not worst.relative_path and "expected" in worst.parent.schema:
        worst = worst.parent
    return Problem(tuple(worst.absolute_path), _sentence(worst, whole))


def with_defaults(value: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a mapping in which the keys that it lacks have the schema's defaults."""
    complete = copy.deepcopy(dict(value))
    _fill(complete, schema)
    return complete


def _fill(value: dict[str, Any], node: Mapping[str, Any]) -> None:
    for key, part in node.get("properties", {}).items():
        if key not in value and "default" in part:
            value[key] = copy.deepcopy(part["default"])
        if isinstance(value.get(key), dict):
            _fill(value[key], part)


def place(path: Iterable[str | int], whole: str) -> str:
    """Name a place within a value: `the 2nd value of grid.clusters` for `("grid", "clusters", 1)`.

    Parameters
    ----------
    path : iterable of str or int
        The keys and places that lead there.
    whole : str
        What the value itself is called.
    """
    name = ""
    for part in path:
        if isinstance(part, int):
            name = f"the {_ordinal(part + 1)} value of {name or whole}"
        else:
            name = f"{name}.{part}" if name else part
    return name or whole


def _ordinal(number: int) -> str:
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _few(keys: Sequence[str]) -> str:
    """Write some keys, and how many more there are if they are many."""
    more = len(keys) - _MOST_KEYS
    named = ", ".join(keys if more <= 0 else keys[:_MOST_KEYS])
    return f"{named} and {more} more" if more > 0 else named


def _sentence(error: jsonschema.ValidationError, whole: str) -> str:
    path = place(error.absolute_path, whole)
    found = described(error.instance)
    if "expected" in error.schema:
        found = shown(error.instance) if isinstance(error.instance, dict) else found
        return f"{path} must be {error.schema['expected']}, found {found}"
    limit = error.validator_value
    if isinstance(limit, float):
        limit = f"{limit:g}"
    match error.validator:
        case "additionalProperties":
            known = list(error.schema.get("properties", {}))
            unknown = next(key for key in error.instance if key not in known)
            at = "" if path == whole else f" in {path}"
            hint = nearest(unknown, known) or f"; known are {_few(known)}"
            return f"unknown key {str(unknown)[:_LONGEST_KEY]!r}{at}{hint}"
        case "required":
            missing = next(key for key in limit if key not in error.instance)
            return f"{path} lacks the key {missing!r}"
        case "type":
            kinds = [limit] if isinstance(limit, str) else limit
            wanted = " or ".join(_WORDS[kind] for kind in kinds)
            return f"{path} must be {wanted}, found {found}"
        case "minItems":
            return f"{path} needs at least {limit} value{'s' * (limit > 1)}, found {found}"
        case "maxItems":
            return f"{path} takes at most {limit} values, found {found}"
        case "minimum":
            return f"{path} must be at least {limit}, found {found}"
        case "exclusiveMinimum":
            return f"{path} must be greater than {limit}, found {found}"
        case "maximum":
            return f"{path} must be at most {limit}, found {found}"
        case "exclusiveMaximum":
            return f"{path} must be less than {limit}, found {found}"
        case "enum":
            choices = [str(choice) for choice in limit]
            hint = nearest(str(error.instance), choices)
            return f"{path} must be one of {', '.join(choices)}, found {found}{hint}"
    return f"{path}: {error.message}"


def described(value: object) -> str:
    """Say what was found: a value, what kind of nothing, or what kind of thing if it is long."""
    value = plain(value)
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list) and not value:
        return "an empty list"
    if isinstance(value, str | list | int | float):
        return shown(value)
    text = repr(value)
    short = text.isprintable() and len(text) <= _LONGEST
    return text if short else f"a {type(value).__name__}"


def shown(value: object) -> str:
    """Show a value as Python writes it, shortened where that is long."""
    text = _SHORT.repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def plain(value: object) -> Any:
    """Return a value as a schema knows it.

    NumPy's and pandas' scalars and arrays, tuples, sets and iterators become numbers, text and
    lists; mappings become dictionaries. Anything else stays what it is.
    """
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        value = tolist()
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | Set | Iterator):
        return [plain(part) for part in value]
    return value


def arguments(
    values: Mapping[str, Any], schemas: Mapping[str, Any], **optional: Any
) -> dict[str, Any]:
    """Check the arguments of a function.

    Parameters
    ----------
    values : Mapping
        The arguments by name.
    schemas : Mapping
        A JSON schema of each.
    **optional
        Further ones, which may be None.

    Returns
    -------
    dict
        The arguments as `plain` has them.

    Raises
    ------
    ConfigError
        One sentence that names the argument, what was expected and what was found.
    """
    given = {name: value for name, value in optional.items() if value is not None}
    known: dict[str, Any] = plain({**values, **given})
    wrong = problem(known, {"properties": schemas}, "the arguments")
    if wrong is not None:
        raise ConfigError(wrong.sentence)
    return known

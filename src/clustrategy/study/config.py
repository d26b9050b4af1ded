"""Reading a config: the schema's defaults filled in, and one sentence for what is wrong."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Any

import jsonschema
import yaml

from clustrategy.core.errors import ConfigError, nearest

_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


_NUMBER_OR_WORD = {"sims_per_shard": "auto", "audit.sims": "all"}
_FORMS = {
    "coefficients": "{uniform: [low, high]} or a list of predictors + 1 numbers",
    "predictor_icc": "a number from 0 to 1 or a list of one for each predictor",
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


@cache
def schema() -> dict[str, Any]:
    """Return the JSON schema of a study's config."""
    text = (
        resources.files("clustrategy.study")
        .joinpath("config.schema.yaml")
        .read_text(encoding="utf-8")
    )
    return dict(yaml.safe_load(text))


def load(path: str) -> dict[str, Any]:
    """Read a YAML file.

    Raises
    ------
    ConfigError
        Where it cannot be read or is not a YAML mapping.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            config = yaml.safe_load(stream)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        problem = getattr(error, "problem", None) or "unreadable text"
        raise ConfigError(f"{path}: is not YAML: {problem}{where}") from None
    if not isinstance(config, dict):
        raise ConfigError(f"{path}: expected a mapping of keys to values, found {_found(config)}")
    return config


def validate(config: Mapping[str, Any], files: Sequence[str] = ()) -> dict[str, Any]:
    """Check a config and fill in its defaults.

    Parameters
    ----------
    config : Mapping
        As read from YAML.
    files : Sequence of str
        Where it was read from, later ones over earlier ones; for messages.

    Returns
    -------
    dict
        The whole config.

    Raises
    ------
    ConfigError
        One sentence that names the file, the key, what was expected and what was found.
    """
    complete = copy.deepcopy(dict(config))
    errors = _Validator(schema()).iter_errors(complete)
    worst = jsonschema.exceptions.best_match(errors)
    if worst is not None:
        raise ConfigError(f"{holder(files, worst.absolute_path)}: {_sentence(worst)}")
    _fill(complete, schema())
    return complete


def holder(files: Sequence[str], path: Iterable[str | int]) -> str:
    """Find the last of the files that sets the key at `path`, or the last that is there."""
    keys = list(path)
    for file in reversed(files):
        with suppress(ConfigError, KeyError, IndexError, TypeError):
            node: Any = load(file)
            for key in keys:
                node = node[key]
            return file
    return files[-1] if files else "config"


def _fill(config: dict[str, Any], node: Mapping[str, Any]) -> None:
    for key, part in node.get("properties", {}).items():
        if key not in config and "default" in part:
            config[key] = copy.deepcopy(part["default"])
        if isinstance(config.get(key), dict):
            _fill(config[key], part)


def _sentence(error: jsonschema.ValidationError) -> str:
    path = ".".join(str(part) for part in error.absolute_path) or "the config"
    if error.validator in ("anyOf", "oneOf"):
        for option in _FORMS.keys() & error.absolute_path:
            return f"{path} must be {_FORMS[option]}, found {error.instance!r}"
    found = _found(error.instance)
    if path in _NUMBER_OR_WORD:
        word = _NUMBER_OR_WORD[path]
        return f"{path} must be {word} or a whole number of at least 1, found {found}"
    limit = error.validator_value
    match error.validator:
        case "additionalProperties":
            known = list(error.schema.get("properties", {}))
            unknown = next(key for key in error.instance if key not in known)
            at = "" if path == "the config" else f" in {path}"
            hint = nearest(unknown, known) or f"; known are {', '.join(known)}"
            return f"unknown key {unknown!r}{at}{hint}"
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
        case "pattern":
            return f"{path} may hold letters, digits, '.', '_' and '-' alone, found {found}"
    return f"{path}: {error.message}"


def _found(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list) and not value:
        return "an empty list"
    return repr(value)

"""Reading a config: the schema's defaults filled in, and one sentence for what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Any

import yaml

from clustrategy.core.errors import ConfigError
from clustrategy.core.validation import described, problem, with_defaults


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
        reason = getattr(error, "problem", None) or "unreadable text"
        raise ConfigError(f"{path}: is not YAML: {reason}{where}") from None
    if not isinstance(config, dict):
        raise ConfigError(
            f"{path}: expected a mapping of keys to values, found {described(config)}"
        )
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
    wrong = problem(config, schema(), "the config")
    if wrong is not None:
        raise ConfigError(f"{holder(files, wrong.path)}: {wrong.sentence}")
    return with_defaults(config, schema())


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

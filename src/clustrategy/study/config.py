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
from clustrategy.study import plain_values, strict_yaml

MOST_BYTES = 1_000_000
"""A config has no more."""


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
    """Read a YAML or JSON file, as `strict_yaml` does.

    Raises
    ------
    ConfigError
        Where it cannot be read, is not a mapping, or can be read in more than one way; the
        sentence names the file and, where it is known, the line.
    """
    try:
        config = strict_yaml.parse(_text(path))
    except strict_yaml.NotStrict as error:
        where = f", line {error.line}" if error.line else ""
        raise ConfigError(f"{path}{where}: {error}") from None
    if not isinstance(config, dict):
        raise ConfigError(
            f"{path}: expected a mapping of keys to values, found {described(config)}"
        )
    return config


def _text(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no path"
        raise ConfigError(f"{path}: cannot be read ({reason})") from None
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path}: is larger than {MOST_BYTES:,} bytes, and so no config")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}, line {line}: is not UTF-8 (found the byte {content[error.start]:#04x}); "
            "save it as UTF-8"
        ) from None


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
    if (odd := plain_values.oddity(config, "the config")) is not None:
        raise ConfigError(f"{holder(files, odd[0])}: {odd[1]}")
    wrong = problem(config, schema(), "the config")
    if wrong is not None:
        file = holder(files, wrong.path)
        hint = _boolean_hint(file, wrong.path) if files else ""
        raise ConfigError(f"{file}: {wrong.sentence}{hint}")
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


def _boolean_hint(file: str, path: Sequence[str | int]) -> str:
    """Say what YAML makes of `yes`, `no`, `on` and `off` where one of them stands at `path`."""
    with suppress(ConfigError, strict_yaml.NotStrict):
        word = strict_yaml.written(_text(file), path)
        if word is not None and word.lower() in ("yes", "no", "on", "off"):
            return f" (YAML reads {word} as true or false: write quotes for text)"
    return ""

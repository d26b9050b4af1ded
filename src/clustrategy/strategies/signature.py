"""What a function has to look like to be a strategy, and where it is defined."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clustrategy.core.places import place
from clustrategy.core.sources import PACKAGE

_TAKEN = ("strategy", "name", "engine")
"""Keys of an entry in a config that are no options."""


def unfit(function: object, *, resamples: bool) -> str:
    """Say why a function cannot be a strategy.

    Parameters
    ----------
    function : object
        What is decorated.
    resamples : bool
        Whether it has `nulls` after the shard, as `Registered` says.

    Returns
    -------
    str
        What is expected and what was found; empty if it can.
    """
    if not (callable(function) and inspect.isfunction(inspect.unwrap(function))):
        return f"expected a function, found {function!r:.60}"
    parameters = list(inspect.signature(function).parameters.values())
    ordered = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    options = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    name = inspect.unwrap(function).__name__
    expected = ["shard", "nulls"] if resamples else ["shard"]
    if len(ordered) != len(expected) or len(ordered) + len(options) != len(parameters):
        return (
            f"{name} must take {' and '.join(expected)}, and then a * and its options, each with "
            f"a default; found ({', '.join(p.name for p in parameters)})"
        )
    for option in options:
        if option.default is option.empty:
            return f"the option {option.name!r} of {name} needs a default"
        if option.name in _TAKEN:
            return f"{name} cannot have an option {option.name!r}, which entries of configs have"
    return ""


def source_file(function: Callable[..., Any]) -> Path | None:
    """Return the file that a function is defined in; None for a notebook and a prompt."""
    path = Path(inspect.unwrap(function).__code__.co_filename)
    return path if path.is_file() else None


def defined_in(function: Callable[..., Any]) -> str:
    """Name a function and the place of its definition."""
    inner = inspect.unwrap(function)
    file = source_file(inner)
    if file is None:
        return f"{inner.__name__} in {inner.__module__}"
    if file.is_relative_to(PACKAGE):
        file = file.relative_to(PACKAGE.parent)
    return f"{inner.__name__} in {place(file, inner.__code__.co_firstlineno)}"

"""Strategies of installed distributions, which name their modules as entry points."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from clustrategy.core.errors import in_words
from clustrategy.strategies.registry import REGISTERED, registered_meanwhile

GROUP = "clustrategy.strategies"


@cache
def load_installed() -> Sequence[str]:
    """Import what the distributions name in the group `clustrategy.strategies`, once a process.

    Returns
    -------
    sequence of str
        Of each that cannot be had, a sentence that names the distribution.
    """
    return [said for point in entry_points(group=GROUP) if (said := _problem(point))]


def _problem(point: EntryPoint) -> str:
    """Import what an entry point names; say what is wrong with it."""
    whose = f"the strategies of the distribution {point.dist.name!r}" if point.dist else point.value
    try:
        with registered_meanwhile(), redirect_stdout(sys.stderr):
            point.load()
    except (Exception, SystemExit) as error:
        return f"{whose} cannot be loaded ({in_words(error)})"
    top = point.module.partition(".")[0]
    functions = [entry.function for engines in REGISTERED.values() for entry in engines.values()]
    if not any(function.__module__.partition(".")[0] == top for function in functions):
        return f"{whose} cannot be loaded (the module {point.module!r} registers none)"
    return ""

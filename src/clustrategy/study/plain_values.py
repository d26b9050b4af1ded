"""Plain values of a reasonable size, which is what a config may consist of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustrategy.core.validation import place

MOST = 20_000
"""Values in a config, aliases written out."""

DEEPEST = 20
"""Levels of nesting."""

LONGEST = 10_000
"""Characters of a text."""

LARGEST = 10**50
"""No whole number is larger, with either sign."""


def oddity(value: Any, whole: str) -> tuple[tuple[str | int, ...], str] | None:
    """Find what is not plain, or unreasonably large.

    Parameters
    ----------
    value : object
        Mappings, lists and scalars.
    whole : str
        What it is called.

    Returns
    -------
    tuple or None
        The keys and places that lead there, and a sentence; None where all is plain.
    """
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    for path, node in waiting:
        name = place(path, whole)
        if len(path) > DEEPEST:
            return path, f"{place(path[:1], whole)} is nested too deeply"
        if isinstance(node, Mapping):
            if (odd := next((key for key in node if not _is_text(key)), None)) is not None:
                return path, f"{name} has a key that is not plain text, {_ascii(odd)}"
            waiting += [((*path, key), part) for key, part in node.items()]
        elif isinstance(node, list | tuple):
            waiting += [((*path, k), part) for k, part in enumerate(node)]
        elif isinstance(node, str) and not _is_text(node):
            return path, f"{name} must be printable text of at most {LONGEST:,} characters"
        elif isinstance(node, int) and abs(node) > LARGEST:
            return path, f"{name} is a whole number of more than 50 digits"
        elif not isinstance(node, str | int | float | None):
            return path, f"{name} is neither text nor a number, found a {type(node).__name__}"
        if len(waiting) > MOST:
            return (), f"{whole} has more than {MOST:,} values"
    return None


def _is_text(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= LONGEST
        and all(part.isprintable() for part in value.replace("\t", "\n").split("\n"))
    )


def _ascii(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:80]}..."

"""A count with its noun."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return a count and its noun, as in `1 cell` and `2,250 datasets`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

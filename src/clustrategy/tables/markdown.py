"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate


def markdown_table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Make the lines of a Markdown table of texts; columns after the first are aligned right."""
    sides = ("left", *["right"] * (len(head) - 1))
    table = tabulate(body, head, tablefmt="pipe", colalign=sides, disable_numparse=True)
    return table.splitlines()

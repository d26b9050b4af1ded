"""Labels of strategies, cut short where they would burst a table."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 60
"""Characters of a label."""


def shortened(labels: Sequence[str]) -> dict[str, str]:
    """Return each label as it stands on the page; no two are the same.

    Examples
    --------
    >>> shortened(["ols", "x" * 100])["x" * 100] == "x" * 55 + " … 2"
    True
    """
    return {
        label: label if len(label) <= MOST else f"{label[: MOST - 5]} … {number}"
        for number, label in enumerate(labels, 1)
    }

"""What several strategies say of a term, in a sentence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clustrategy.core.counted import listed
from clustrategy.owndata.words import p_span, p_value, span

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.05

MOST_NAMES = 3
"""Strategies that are named; more are counted."""


@dataclass(frozen=True)
class Finding:
    """What the strategies say of a term.

    Attributes
    ----------
    term : str
        A coefficient.
    text : str
        A sentence.
    """

    term: str
    text: str

    def __str__(self) -> str:
        """Return the text, with the term before it."""
        return f"{self.term}: {self.text}"


def finding(term: str, rows: pd.DataFrame, usual: Collection[str]) -> Finding:
    """Put into a sentence what strategies say of a term.

    Parameters
    ----------
    term : str
        A coefficient.
    rows : DataFrame
        Its rows of the tidy table.
    usual : collection of str
        Strategies that are shown only because papers usually have them.

    Returns
    -------
    Finding
    """
    tested = rows[np.isfinite(rows["estimate"]) & np.isfinite(rows["p_value"])]
    sound = tested[~tested["strategy"].isin(usual)]
    rest = tested[tested["strategy"].isin(usual)]
    if not len(sound):
        if not len(rest):
            return Finding(term, "no strategy estimates and tests it.")
        sound, rest = rest, rest.iloc[:0]
    p = sound["p_value"].to_numpy()
    rejects = p <= LEVEL
    sizes = span(sound["estimate"].tolist())
    names = sound["strategy"].to_numpy()
    if len(sound) == 1:
        verb = "finds" if rejects[0] else "does not find"
        text = f"{sizes} by {names[0]}, which {verb} it different from 0 (p {p_value(p[0])})"
    elif rejects.all():
        text = f"{sizes}; all {len(sound)} strategies find it different from 0 (p {p_span(p)})"
    elif not rejects.any():
        text = f"{sizes}; none of {len(sound)} strategies finds it different from 0 (p {p_span(p)})"
    else:
        text = (
            f"{sizes}; it depends on the strategy: {_named(names[rejects], p[rejects])} "
            f"{'finds' if rejects.sum() == 1 else 'find'} it different from 0, "
            f"{_named(names[~rejects], p[~rejects])} {'does' if (~rejects).sum() == 1 else 'do'} "
            "not"
        )
    if rejects.all() or not rejects.any():
        against = rest[(rest["p_value"] <= LEVEL) != rejects.all()]
        if len(against):
            who = _named(against["strategy"].to_numpy(), against["p_value"].to_numpy())
            would = "would not" if rejects.all() else "would"
            verb = "is" if len(against) == 1 else "are"
            text += f"; {who} {would}, and {verb} not to be relied on here"
    return Finding(term, f"{text}.")


def _named(names: np.ndarray, p: np.ndarray) -> str:
    if len(names) > MOST_NAMES:
        return f"{len(names)} strategies (p {p_span(p.tolist())})"
    return listed([f"{name} (p {p_value(one)})" for name, one in zip(names, p, strict=True)])

"""What the strategies say of a coefficient, in a sentence or two: the answer first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clustrategy.core.counted import listed
from clustrategy.owndata.reliance import Reliance
from clustrategy.owndata.words import p_value, span

if TYPE_CHECKING:
    import pandas as pd

from clustrategy.owndata.words import decimals, fixed

LEVEL = 0.05

MOST_NAMES = 3
"""Strategies that are named; more are counted."""


def finding(
    term: str, rows: pd.DataFrame, reliance: Reliance, order: Sequence[str], contrast: str = ""
) -> str:
    """Put into words what the strategies say of a coefficient.

    Parameters
    ----------
    term : str
        The coefficient.
    rows : DataFrame
        Its rows of the tidy table.
    reliance : Reliance
        Which strategies are to be relied on.
    order : sequence of str
        The strategies, the first to go by first.
    contrast : str
        What is compared with what, of a category.

    Returns
    -------
    str
        The estimate, interval and p-value of the first strategy that is to be relied on, whether
        the others agree, and what those say that are set aside.
    """
    named = f"{term} ({contrast})" if contrast else term
    tested = rows[np.isfinite(rows["estimate"]) & np.isfinite(rows["p_value"])]
    tested = tested.set_index("strategy").loc[
        [one for one in order if one in set(tested["strategy"])]
    ]
    if not len(tested):
        return f"{named}: no strategy estimates and tests it."
    sound = tested[[not reliance.reason(label, term) for label in tested.index]]
    rest = tested[[bool(reliance.reason(label, term)) for label in tested.index]]
    if not len(sound):
        first = rest.iloc[0]
        reason = reliance.reason(str(rest.index[0]), term)
        return (
            f"{named}: {_numbers(first)}, by {rest.index[0]}, which is not to be relied on here: "
            f"{reason}."
        )
    first = sound.iloc[0]
    text = f"{named}: {_numbers(first)}, by {sound.index[0]}."
    rejects = first["p_value"] <= LEVEL
    others = sound.iloc[1:]
    against = others[(others["p_value"] <= LEVEL) != rejects]
    if len(others) and not len(against):
        who = "The other agrees" if len(others) == 1 else f"The other {len(others)} agree"
        text += f" {who} ({span(others['estimate'].tolist())})."
    elif len(against):
        does = "disagrees" if len(against) == 1 else "disagree"
        text += f" {_named(against)} {does}: say so."
    otherwise = rest[(rest["p_value"] <= LEVEL) != rejects]
    if len(otherwise):
        text += f" Set aside: {_named(otherwise)}."
    return text


def _numbers(row: pd.Series[float]) -> str:
    """Return estimate, interval and p-value."""
    places = decimals([row["std_error"]], 2)
    ends = [row["conf_low"], row["conf_high"]]
    interval = (
        f" [{fixed(ends[0], places)}, {fixed(ends[1], places)}]" if np.isfinite(ends).all() else ""
    )
    p = p_value(row["p_value"])
    return f"{fixed(row['estimate'], places)}{interval}, p {p if p.startswith('<') else f'= {p}'}"


def _named(rows: pd.DataFrame) -> str:
    if len(rows) > MOST_NAMES:
        return f"{len(rows)} strategies"
    return listed([f"{label} (p {p_value(row['p_value'])})" for label, row in rows.iterrows()])

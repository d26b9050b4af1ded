"""What the strategies say of a coefficient, in a sentence or two: the answer first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clustrategy.core.counted import listed
from clustrategy.core.words import p_value, span
from clustrategy.owndata.reliance import Reliance

if TYPE_CHECKING:
    import pandas as pd

from clustrategy.core.words import decimals, fixed, number

LEVEL = 0.05

SEVERAL = 3
"""So many strategies with the same numbers are worth a word."""

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
        places = decimals([first["std_error"]], 2)
        return (
            f"{named}: {fixed(first['estimate'], places)}, with no test to be relied on "
            f"({rest.index[0]}: {reason})."
        )
    first = sound.iloc[0]
    text = f"{named}: {_numbers(first)}, by {sound.index[0]}."
    others = sound.iloc[1:]
    agree = [_agrees(row, first) for _, row in others.iterrows()]
    against = others[[not one for one in agree]]
    if len(others) and not len(against):
        who = "The other agrees" if len(others) == 1 else f"The other {len(others)} agree"
        text += f" {who} ({span(others['estimate'].tolist())}){_same(sound)}."
    elif len(against):
        does = "disagrees" if len(against) == 1 else "disagree"
        text += f" {_named(against)} {does}: say so."
    otherwise = rest[[not _agrees(row, first) for _, row in rest.iterrows()]]
    if len(otherwise):
        text += f" Set aside: {_named(otherwise)}."
    return text


def _agrees(row: pd.Series[float], first: pd.Series[float]) -> bool:
    """Tell whether an estimate is on the same side of 5 % and within the first one's interval."""
    rejects = first["p_value"] <= LEVEL
    if (row["p_value"] <= LEVEL) != rejects:
        return False
    if rejects and row["estimate"] * first["estimate"] < 0:
        return False
    ends = first["conf_low"], first["conf_high"]
    return not np.isfinite(ends).all() or bool(ends[0] <= row["estimate"] <= ends[1])


def _same(sound: pd.DataFrame) -> str:
    """Say how many of the strategies are one computation, as where clusters are all alike."""
    pairs = sound[["estimate", "std_error"]].to_numpy()
    alike = np.isclose(pairs, pairs[0], rtol=1e-6, atol=0.0).all(axis=1)
    if alike.sum() < SEVERAL:
        return ""
    return f"; {alike.sum()} of all {len(alike)} are one computation here"


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
    return listed(
        [
            f"{label} ({number(row['estimate'])}, p {p_value(row['p_value'])})"
            for label, row in rows.iterrows()
        ]
    )

"""Statements that are made up of comparisons, and whether they are true of many sims.

One rule judges all. The comparisons of a statement have Monte Carlo bands that contain, in 95 of
100 studies like the one at hand, what many sims would find for every one of them. The statement
`holds` if it is true wherever in their bands the comparisons are, `does_not_hold` if it is true
nowhere in them, and is `undecided` otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats

HOLDS, DOES_NOT_HOLD, UNDECIDED = "holds", "does_not_hold", "undecided"

_BAND = 0.95


class Part(NamedTuple):
    """Some propositions of which at least so many have to be true.

    Attributes
    ----------
    margins : (1 + draws, propositions, comparisons) array
        First what was found, then what other studies like this one may find; positive where a
        comparison is true. A proposition is true if all of its comparisons are.
    least : int
        How many propositions have to be true.
    """

    margins: Floats
    least: int


class Counts(NamedTuple):
    """How many propositions of a part are true: as found, for sure and at most."""

    found: int
    sure: int
    possible: int


def judge(parts: Sequence[Part]) -> tuple[str, list[Counts]]:
    """Judge parts that all have to be true.

    Returns
    -------
    str
        The verdict.
    list of Counts
        Of each part.
    """
    flat = np.concatenate([part.margins.reshape(len(part.margins), -1) for part in parts], axis=1)
    away = flat[1:] - flat[0]
    error = away.std(axis=0)
    some = error > 0.0
    reach = 0.0
    if some.any():
        reach = float(np.quantile(np.abs(away[:, some] / error[some]).max(axis=1), _BAND))
    counts = []
    for part in parts:
        band = reach * (part.margins[1:] - part.margins[0]).std(axis=0)
        found = part.margins[0]
        true = (found > 0.0).all(axis=-1)
        # Without a number or its error a comparison is possible, but not sure.
        sure = (found - band > 0.0).all(axis=-1)
        possible = (~(found + band <= 0.0)).all(axis=-1)
        counts.append(Counts(int(true.sum()), int(sure.sum()), int(possible.sum())))
    if all(count.sure >= part.least for part, count in zip(parts, counts, strict=True)):
        return HOLDS, counts
    if any(count.possible < part.least for part, count in zip(parts, counts, strict=True)):
        return DOES_NOT_HOLD, counts
    return UNDECIDED, counts


def of_one(margins: Floats) -> Part:
    """Return one proposition whose comparisons all have to be true."""
    flat = margins.reshape(len(margins), 1, -1)
    return Part(flat, 1)


def of_each(margins: Floats) -> Part:
    """Return a proposition for each comparison, all of which have to be true."""
    flat = margins.reshape(len(margins), -1, 1)
    return Part(flat, flat.shape[1])


def of_cells(margins: Floats, least: int) -> Part:
    """Return a proposition for each cell, from (draws, comparisons, ...cells) margins."""
    flat = margins.reshape(len(margins), margins.shape[1], -1)
    return Part(np.swapaxes(flat, 1, 2), least)

"""The values that a resampling test does not reject, where each draw is a quartic in the value.

A value tau of the parameter is rejected unless more than so many of the draws' polynomials are not
negative there. How many are is a step function of tau that need not fall steadily on either side,
and no search at chosen points sees all of its steps. Over an interval, however, a polynomial lies
between the least and the largest of its Bernstein coefficients. So an interval where enough draws
are sure to be above belongs to the set as a whole, one where too few may be does not, and only the
others are cut into parts, with those draws alone that may change sign in them: nothing between two
points is overlooked, and the work falls with the width.

The line is taken in two sides of two halves each, [0, HALF] in units of HALF and [HALF, inf] in
those of 1/tau, which makes infinity a point like any other. A place on a side runs from 0 to 2.
"""

from __future__ import annotations

from functools import cache
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Ints

HALF = 2.0
"""The value that halves a side: in standard errors, about where a limit is to be expected."""

NARROWEST = 2.0**-50
"""The width to which limits are found, in places on a side."""

PAIRS = 4096
"""How many polynomials of parts a further cut may make, if it is into more than two parts."""

MOST_HALVINGS = 6


class ConfidenceSet(NamedTuple):
    """The values of p parameters that a test does not reject.

    Attributes
    ----------
    low, high : (p,) array
        The ends of the interval around zero none of whose values is rejected; infinite where no
        value on that side is.
    islands : (p,) array of bool
        Whether values beyond the first rejected ones are not rejected either.
    """

    low: Floats
    high: Floats
    islands: NDArray[np.bool_]


def confidence_set(polynomials: Floats, most: int) -> ConfidenceSet:
    """Find where more than `most` of the polynomials of each parameter are not negative.

    Parameters
    ----------
    polynomials : (5, p, B) array
        Their coefficients, the lowest power first. None may be negative at zero.
    most : int
        So many that are not negative still reject a value; fewer than B.

    Returns
    -------
    ConfidenceSet
    """
    p = polynomials.shape[1]
    end, farthest = np.full(2 * p, 2.0), np.zeros(2 * p)
    cells, width = _Cells.of(polynomials), 1.0
    while cells.row.size and width >= NARROWEST:
        inside, outside, open_ = cells.judge(most)
        np.minimum.at(end, cells.row[outside], cells.start[outside])
        np.maximum.at(farthest, cells.row[inside], cells.start[inside])
        cells, width = cells.cut(~(inside | outside), open_, width)
    with np.errstate(divide="ignore"):
        limit = np.where(end <= 1.0, HALF * end, HALF / (2.0 - end)).reshape(2, p)
    beyond = (farthest > end).reshape(2, p)
    return ConfidenceSet(-limit[1], limit[0], beyond[0] | beyond[1])


class _Cells(NamedTuple):
    """Intervals of one width, and the polynomials that may change sign in them.

    Attributes
    ----------
    row, start : (n,) array
        The side of the parameter, and the place on it where the cell begins.
    above : (n,) array
        How many polynomials are known not to be negative anywhere in the cell.
    cell : (N,) array
        The cell of each of the other polynomials.
    coefficients : (5, N) array
        Their Bernstein coefficients on that cell, from its start outwards.
    """

    row: Ints
    start: Floats
    above: Ints
    cell: Ints
    coefficients: Floats

    @classmethod
    def of(cls, polynomials: Floats) -> _Cells:
        """Return both halves of both sides of all parameters."""
        _, p, B = polynomials.shape
        n = 4 * p
        return cls(
            row=np.tile(np.arange(2 * p), 2),
            start=np.repeat([0.0, 1.0], 2 * p),
            above=np.zeros(n, dtype=np.int64),
            cell=np.repeat(np.arange(n), B),
            coefficients=(_halves() @ polynomials.reshape(5, -1)).reshape(5, -1),
        )

    def judge(self, most: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Count in `above`; tell which cells are inside, which outside, which polynomials open."""
        n = self.row.size
        least, largest = self.coefficients.min(axis=0), self.coefficients.max(axis=0)
        # One that is zero at an end and negative elsewhere counts as negative.
        open_ = (least < 0.0) & (largest > 0.0)
        self.above[:] += np.bincount(self.cell[least >= 0.0], minlength=n)
        inside = self.above > most
        outside = self.above + np.bincount(self.cell[open_], minlength=n) <= most
        return inside, outside, open_

    def cut(
        self, undecided: NDArray[np.bool_], open_: NDArray[np.bool_], width: float
    ) -> tuple[_Cells, float]:
        """Cut the undecided cells into parts, the more the fewer they are."""
        kept = np.flatnonzero(undecided)
        place = np.full(self.row.size, -1)
        place[kept] = np.arange(kept.size)
        pairs = np.flatnonzero(open_ & undecided[self.cell])
        halvings = (PAIRS // max(pairs.size, 1)).bit_length() - 1
        parts = _parts(min(max(halvings, 1), MOST_HALVINGS))
        k = parts.shape[0] // 5
        number = np.arange(k)[:, None]
        width /= k
        return _Cells(
            row=np.tile(self.row[kept], k),
            start=(self.start[kept] + width * number).reshape(-1),
            above=np.tile(self.above[kept], k),
            cell=(place[self.cell[pairs]] + kept.size * number).reshape(-1),
            coefficients=(parts @ self.coefficients[:, pairs]).reshape(5, -1),
        ), width


@cache
def _halves() -> Floats:
    """Return what gives the Bernstein coefficients on the halves of both sides, (5 * 4, 5).

    From the coefficients of powers, the lowest first; the near half of either side comes first.
    """
    bernstein = np.array([[comb(i, j) / comb(4, j) for j in range(5)] for i in range(5)])
    scale = HALF ** np.arange(5.0)
    both = np.array([scale, scale * [1.0, -1.0, 1.0, -1.0, 1.0]])[:, None]
    halves = np.concatenate([bernstein * both, bernstein[::-1, ::-1] * both])
    return np.swapaxes(halves, 0, 1).reshape(-1, 5)


@cache
def _parts(halvings: int) -> Floats:
    """Return what gives the Bernstein coefficients on 2^halvings equal parts, (5 * parts, 5).

    By de Casteljau's construction; the numbers are dyadic and so without rounding.
    """
    left = np.array([[comb(i, j) / 2.0**i for j in range(5)] for i in range(5)])
    halves = np.stack([left, left[::-1, ::-1]])
    parts = halves
    for _ in range(halvings - 1):
        parts = (halves @ parts[:, None]).reshape(-1, 5, 5)
    return np.ascontiguousarray(np.swapaxes(parts, 0, 1)).reshape(-1, 5)

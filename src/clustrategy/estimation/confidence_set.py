"""The values that a resampling test does not reject, where each draw is a quartic in the value.

A value tau of the parameter is rejected unless more than so many of the draws' polynomials are not
negative there. How many are is a step function of tau that need not fall steadily on either side,
and no search at chosen points sees all of its steps. Over an interval, however, a polynomial lies
between the least and the largest of its Bernstein coefficients. So an interval where enough draws
are sure to be above belongs to the set as a whole, one where too few may be does not, and only the
others are cut into parts, with those draws alone that may change sign in them: nothing between two
points is overlooked, and the work falls with the width. When few are left, of which each changes
sign once in its part, their roots are found and put in order.

The line is taken in two sides of two halves each, [0, HALF] in units of HALF and [HALF, inf] in
those of 1/tau, which makes infinity a point like any other. A place on a side runs from 0 to 2.
Most polynomials change sign in none of these; the rest of several datasets is searched at once,
by arithmetic that is the same in whatever company.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Ints

HALF = 2.0
"""The value that halves a side: in standard errors, about where a limit is to be expected."""

NARROWEST = 2.0**-50
"""The width down to which cells are cut, in places on a side."""

FEW = 8
"""Where a cell has so many polynomials left, they are solved rather than cut further."""

LAST_STEP = 2.0**-40
"""Of Newton's method, in widths of a cell: the next one would be of the order of its square."""

MOST_STEPS = 50
"""As many as bisection alone would need."""


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


def confidence_sets(searches: Sequence[Search], most: int) -> ConfidenceSet:
    """Find where more than `most` of the polynomials of each parameter are not negative.

    Parameters
    ----------
    searches : sequence of Search
        Of one dataset or several.
    most : int
        So many that are not negative still reject a value, as of `Search.begin`.

    Returns
    -------
    ConfidenceSet
        Of the parameters of all of them, one after the other.
    """
    return Search.join(searches).finish(most)


class Search(NamedTuple):
    """How far the search has come for p parameters, each of which has a row for either side.

    Attributes
    ----------
    end : (2 p,) array
        The first place on a side from which on values are rejected, as far as that is known.
    farthest : (2 p,) array
        The last place where a piece begins that is not rejected.
    cells : Cells
        What is not decided.
    """

    end: Floats
    farthest: Floats
    cells: Cells

    @classmethod
    def begin(cls, polynomials: Floats, most: int) -> Search:
        """Judge both halves of both sides.

        Parameters
        ----------
        polynomials : (5, p, B) array
            Their coefficients, the lowest power first. None may be negative at zero.
        most : int
            So many that are not negative still reject a value; fewer than B.

        Returns
        -------
        Search
        """
        cells, p = Cells.of(polynomials), polynomials.shape[1]
        search = cls(np.full(2 * p, 2.0), np.zeros(2 * p), cells)
        return search._replace(cells=search._decide(cells, most))

    @classmethod
    def join(cls, searches: Sequence[Search]) -> Search:
        """Put the parameters of several searches one after the other."""
        end, farthest, cells = zip(*searches, strict=True)
        rows = np.cumsum([0, *(one.size for one in end)])
        pairs = np.cumsum([0, *(one.coefficients.shape[1] for one in cells)])
        return cls(
            np.concatenate(end),
            np.concatenate(farthest),
            Cells(
                np.concatenate([one.row + row for one, row in zip(cells, rows, strict=False)]),
                np.concatenate([one.start for one in cells]),
                np.concatenate([one.above for one in cells]),
                np.concatenate(
                    [one.first[:-1] + pair for one, pair in zip(cells, pairs, strict=False)]
                    + [pairs[-1:]]
                ),
                np.concatenate([one.coefficients for one in cells], axis=1),
            ),
        )

    def finish(self, most: int) -> ConfidenceSet:
        """Decide everything; `most` as of `begin`."""
        cells, width = self.cells, 1.0
        while cells.row.size and width >= NARROWEST:
            simple = cells.are_simple()
            if simple.any():
                row, start, above = cells.keep(simple).steps(width)
                self._note(row, start, above > most)
                cells = cells.keep(~simple)
            if cells.row.size:
                width /= 2.0
                cells = self._decide(cells.halve(width), most)
        with np.errstate(divide="ignore"):
            limit = np.where(self.end <= 1.0, HALF * self.end, HALF / (2.0 - self.end))
        beyond = self.farthest > self.end
        return ConfidenceSet(-limit[1::2], limit[::2], beyond[::2] | beyond[1::2])

    def _decide(self, cells: Cells, most: int) -> Cells:
        """Note the cells that are inside or outside as a whole, and return the others."""
        inside, outside, open_ = cells.judge(most)
        decided = inside | outside
        self._note(cells.row[decided], cells.start[decided], inside[decided])
        return cells.keep(~decided, open_)

    def _note(self, row: Ints, start: Floats, inside: NDArray[np.bool_]) -> None:
        """Note where pieces begin that are inside or outside."""
        outside = ~inside
        np.minimum.at(self.end, row[outside], start[outside])
        np.maximum.at(self.farthest, row[inside], start[inside])


class Cells(NamedTuple):
    """Intervals of one width, and the polynomials that may change sign in them.

    Attributes
    ----------
    row, start : (n,) array
        The side of the parameter, and the place on it where the cell begins.
    above : (n,) array
        How many polynomials are known not to be negative anywhere in the cell.
    first : (n + 1,) array
        The first of the other polynomials of each cell, which has at least one, and N.
    coefficients : (5, N) array
        Their Bernstein coefficients on that cell, from its start outwards, cell by cell.
    """

    row: Ints
    start: Floats
    above: Ints
    first: Ints
    coefficients: Floats

    @classmethod
    def of(cls, polynomials: Floats) -> Cells:
        """Return both halves of both sides of all parameters; the positive side comes first."""
        _, p, B = polynomials.shape
        n = 4 * p
        return cls(
            row=(2 * np.arange(p) + np.array([0, 1, 0, 1])[:, None]).reshape(-1),
            start=np.repeat([0.0, 1.0], 2 * p),
            above=np.zeros(n, dtype=np.int64),
            first=np.arange(n + 1) * B,
            coefficients=(_halves() @ polynomials.reshape(5, -1)).reshape(5, -1),
        )

    def judge(self, most: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Count in `above`; tell which cells are inside, which outside, which polynomials open."""
        positive = self.coefficients.min(axis=0) >= 0.0
        # One that is zero at an end and negative elsewhere counts as negative.
        open_ = (self.coefficients.max(axis=0) > 0.0) > positive
        self.above[:] += self._count(positive)
        inside = self.above > most
        outside = self.above + self._count(open_) <= most
        return inside, outside, open_

    def keep(self, which: NDArray[np.bool_], open_: NDArray[np.bool_] | None = None) -> Cells:
        """Return some cells, with all of their polynomials or those alone that are open."""
        theirs = np.repeat(which, self.first[1:] - self.first[:-1])
        pairs = np.flatnonzero(theirs if open_ is None else theirs & open_)
        first = np.searchsorted(pairs, np.append(self.first[:-1][which], self.first[-1]))
        coefficients = self.coefficients.take(pairs, axis=1)
        return Cells(self.row[which], self.start[which], self.above[which], first, coefficients)

    def halve(self, width: float) -> Cells:
        """Cut all cells into halves of a width, by de Casteljau's construction."""
        N = self.coefficients.shape[1]
        halves = np.empty((5, 2, N))
        work = self.coefficients
        halves[0, 0], halves[4, 1] = work[0], work[4]
        for level in range(1, 5):
            work = 0.5 * (work[:-1] + work[1:])
            halves[level, 0], halves[4 - level, 1] = work[0], work[-1]
        return Cells(
            row=np.concatenate([self.row, self.row]),
            start=np.concatenate([self.start, self.start + width]),
            above=np.concatenate([self.above, self.above]),
            first=np.concatenate([self.first[:-1], self.first + N]),
            coefficients=halves.reshape(5, -1),
        )

    def are_simple(self) -> NDArray[np.bool_]:
        """Tell which cells have few polynomials, each with exactly one root in the cell, (n,)."""
        above = self.coefficients > 0.0
        several = (above[1:] != above[:-1]).sum(axis=0) != 1
        return (self.first[1:] - self.first[:-1] <= FEW) & (self._count(several) == 0)

    def steps(self, width: float) -> tuple[Ints, Floats, Ints]:
        """Return where the number of polynomials that are not negative changes.

        Returns
        -------
        row, start, above : (n + N,) array
            As of the cells, of the parts of all cells between all roots.
        """
        cell = np.repeat(np.arange(self.row.size), self.first[1:] - self.first[:-1])
        leaves = self.coefficients[0] > 0.0
        above = self.above + self._count(leaves)
        root = _roots(self.coefficients)
        order = np.lexsort((leaves, root, cell))  # at the root itself a polynomial is not negative
        change = np.cumsum(np.where(leaves[order], -1, 1))
        before = np.append(0, change)[self.first[:-1]]
        return (
            np.concatenate([self.row, self.row[cell]]),
            np.concatenate([self.start, self.start[cell] + width * root[order]]),
            np.concatenate([above, (above - before)[cell] + change]),
        )

    def _count(self, flags: NDArray[np.bool_]) -> Ints:
        """Count the polynomials of each cell that have something, (n,)."""
        return np.asarray(np.add.reduceat(flags, self.first[:-1], dtype=np.int64))


def _roots(coefficients: Floats) -> Floats:
    """Find the root between 0 and 1 of polynomials that change sign once there.

    By Newton's method, and by bisection where that would leave the interval.

    Parameters
    ----------
    coefficients : (5, N) array
        Their Bernstein coefficients.

    Returns
    -------
    (N,) array
    """
    differences = coefficients
    powers = np.zeros((5, 2, coefficients.shape[1]))
    powers[0, 0] = coefficients[0]
    for i in range(1, 5):
        differences = differences[1:] - differences[:-1]
        powers[i, 0] = comb(4, i) * differences[0]
        powers[i - 1, 1] = i * powers[i, 0]
    falls = coefficients[0] > 0.0
    low, high = np.zeros_like(coefficients[0]), np.ones_like(coefficients[0])
    x = coefficients[0] / (coefficients[0] - coefficients[4])
    x[~((x > 0.0) & (x < 1.0))] = 0.5
    found = np.zeros(x.shape, dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(MOST_STEPS):
            both = powers[4] * x
            for power in powers[3:0:-1]:
                both += power
                both *= x
            value, slope = both + powers[0]
            left = (value > 0.0) == falls
            low, high = np.where(left, x, low), np.where(left, high, x)
            new = x - value / slope
            new = np.where((low <= new) & (new <= high), new, 0.5 * (low + high))
            step, x = np.abs(new - x), np.where(found, x, new)
            found |= step <= LAST_STEP
            if found.all():
                break
    return x


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

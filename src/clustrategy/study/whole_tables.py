"""The whole tables of a study, read cell by cell as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clustrategy.core.cells import Cell
from clustrategy.core.errors import DataError
from clustrategy.core.fits import have_numbers
from clustrategy.core.shard import Floats
from clustrategy.evaluation.cell_fits import NUMBERS
from clustrategy.evaluation.cell_verdicts import sample_of
from clustrategy.evaluation.promises import Sample
from clustrategy.study.plan import Plan
from clustrategy.tables.estimates import NULLS
from clustrategy.tables.files import damaged


@dataclass(frozen=True)
class CellTables:
    """What the tables hold of one cell, of p terms in S sims.

    Attributes
    ----------
    cell : Cell
    place : int
        The cell's place in the study.
    terms : tuple of str
        The p coefficients.
    truth : (p, S) array
        The true values.
    numbers : dict of str to (strategies, p, S) array
        The columns `NUMBERS` of the estimates.
    own : (strategies, p, S, 1 + effects) array, optional
        The p-values of tests that are not of the t distribution, at the truth and at the truth
        less each effect; NaN elsewhere.
    status : (strategies, S) array of str
        How each fit ended.
    """

    cell: Cell
    place: int
    terms: tuple[str, ...]
    truth: Floats
    numbers: dict[str, Floats]
    own: Floats | None
    status: NDArray[Any]

    @classmethod
    def of(
        cls,
        cell: Cell,
        place: int,
        terms: Sequence[str],
        truth: pa.Table,
        estimates: pa.Table,
        fits: pa.Table,
    ) -> CellTables:
        """Take the columns of the rows of a cell, by sim, then strategy, then term.

        Parameters
        ----------
        cell, place, terms
            As of the class.
        truth, estimates, fits : Table
            The rows of the cell.
        """
        p = len(terms)
        S = truth.num_rows // p
        labels = fits.num_rows // S
        numbers = {
            name: np.ascontiguousarray(
                estimates[name].to_numpy().reshape(S, labels, p).transpose(1, 2, 0)
            )
            for name in NUMBERS
        }
        own = _lists(estimates[NULLS])
        if own is not None:
            own = own.reshape(S, labels, p, -1).transpose(1, 2, 0, 3)
        return cls(
            cell,
            place,
            tuple(terms),
            np.ascontiguousarray(truth["value"].to_numpy().reshape(S, p).T),
            numbers,
            own,
            fits["status"].to_numpy().reshape(S, labels).T,
        )

    def usable(self, statuses: Sequence[str]) -> NDArray[np.bool_]:
        """Return (strategies, S) which fits have numbers that count, by their status."""
        return have_numbers(self.status, self.numbers["estimate"], statuses)

    def sample(self, strategy: int, terms: Sequence[str], usable: NDArray[np.bool_]) -> Sample:
        """Take the numbers of one strategy, by its place, for some terms.

        Parameters
        ----------
        strategy : int
            The strategy's place.
        terms : Sequence of str
            The terms.
        usable : (strategies, S) array of bool
            Which fits count.
        """
        numbers = {name: column[strategy] for name, column in self.numbers.items()}
        own = None if self.own is None else self.own[strategy]
        places = [self.terms.index(term) for term in terms]
        return sample_of(numbers, self.truth, own, usable[strategy], places)


def read_cells(plan: Plan, *, estimates: str, fits: str, truth: str) -> Iterator[CellTables]:
    """Read the cells of a study in turn; one at a time is in memory.

    Parameters
    ----------
    plan : Plan
        Of the study.
    estimates, fits, truth : str
        Its whole tables.

    Raises
    ------
    DataError
        If the tables do not hold the sims and strategies of the study.
    """
    labels = list(plan.labels)
    fits_of_cells = _by_rows(fits, ["sim", "strategy", "status"])
    estimates_of_cells = _by_rows(estimates, [*NUMBERS, NULLS])
    truth_of_cells = _by_rows(truth, ["sim", "term", "value"])
    for place, cell in enumerate(plan.cells):
        terms = plan.recipe.process(cell).terms
        S, p = plan.cuts[place][-1][1] + 1, len(terms)
        values = truth_of_cells(S * p)
        if values["term"].to_pylist()[:p] != [*terms] or values["sim"][-1].as_py() != S - 1:
            raise DataError(f"{truth}: is not of the study's sims; delete it and run again")
        table = estimates_of_cells(S * len(labels) * p)
        glance = fits_of_cells(S * len(labels))
        if glance["strategy"].to_pylist() != labels * S or glance["sim"][-1].as_py() != S - 1:
            raise DataError(f"{fits}: is not of the study's strategies; delete it and run again")
        yield CellTables.of(cell, place, terms, values, table, glance)


def _lists(column: pa.ChunkedArray) -> Floats | None:
    """Return (rows, k) the lists of k numbers in a column, NaN where there is none.

    Nothing where there is no list at all.
    """
    whole = column.combine_chunks()
    there = whole.is_valid().to_numpy(zero_copy_only=False)
    if not there.any():
        return None
    values = whole.flatten().to_numpy(zero_copy_only=False).reshape(int(there.sum()), -1)
    lists = np.full((len(whole), values.shape[1]), np.nan)
    lists[there] = values
    return lists


def _by_rows(path: str, columns: Sequence[str]) -> Callable[[int], pa.Table]:
    """Return a function that reads the next rows of a table, as many as it is asked for."""
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise damaged(path, error) from None
    groups = iter(range(file.num_row_groups))
    waiting = file.schema_arrow.empty_table().select(columns)

    def following(rows: int) -> pa.Table:
        nonlocal waiting
        while waiting.num_rows < rows:
            group = next(groups, None)
            if group is None:
                raise DataError(f"{path}: holds fewer rows than the study; delete it and run again")
            try:
                part = file.read_row_group(group, list(columns))
            except (OSError, ValueError, pa.ArrowException) as error:
                raise damaged(path, error) from None
            waiting = pa.concat_tables([waiting, part])
        chosen, waiting = waiting.slice(0, rows), waiting.slice(rows)
        return chosen

    return following

"""How every strategy performed in every cell: the tables `performance` and `differences`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clustrategy.core.errors import DataError
from clustrategy.core.shard import Floats
from clustrategy.evaluation import measures
from clustrategy.evaluation.measures import Replicates, Result, Settings
from clustrategy.tables.cells import with_cell
from clustrategy.tables.files import read_parquet, write_csv, write_parquet

COLUMNS = ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high")
NOT_ESTIMATED = "not estimated"
HANDLINGS = ("case_wise", "list_wise", "fallback")

_REST = [
    ("term", pa.string()),
    ("true_value", pa.float64()),
    ("handling", pa.string()),
    ("measure", pa.string()),
    ("value", pa.float64()),
    ("mcse", pa.float64()),
    ("n", pa.int64()),
    ("note", pa.string()),
]
PERFORMANCE = pa.schema([("strategy", pa.string()), *_REST])
DIFFERENCES = pa.schema([("strategy", pa.string()), ("reference", pa.string()), *_REST])


def write_performance(
    job: Mapping[str, Any],
    *,
    estimates: str,
    fits: str,
    truth: Sequence[str],
    performance: str,
    performance_csv: str,
    differences: str,
    differences_csv: str,
) -> None:
    """Write how strategies performed, and how they differ on the same datasets.

    The estimates of one cell at a time are in memory.

    Parameters
    ----------
    job : as `Study.performance_job` gives it.
    estimates, fits : the whole tables of the study.
    truth : its shards, by cell and then block.
    performance, performance_csv, differences, differences_csv : the files to write.

    Raises
    ------
    DataError : where the tables are not of the sims and strategies of the study.
    """
    parts = [
        (cell.performance(), cell.differences()) for cell in _cells(job, estimates, fits, truth)
    ]
    metadata = {"clustrategy.study": job["study"], "clustrategy.version": job["version"]}
    files = ((performance, performance_csv), (differences, differences_csv))
    for (parquet, csv), table in zip(files, zip(*parts, strict=True), strict=True):
        whole = pa.concat_tables(
            with_cell(cell, part) for cell, part in zip(job["cells"], table, strict=True)
        )
        write_parquet(whole, parquet, metadata)
        write_csv(whole, csv)


@dataclass(frozen=True)
class CellFits:
    """All fits to the datasets of one cell.

    Attributes
    ----------
    job : as `Study.performance_job` gives it.
    terms : the p coefficients.
    truth : (p, S), S the sims.
    replicates : of each strategy and term, of all sims.
    usable : (strategies, S) whether a fit has numbers that count.
    estimated : (strategies, p) whether a strategy estimates a coefficient at all.
    finite_variance : of each strategy.
    """

    job: Mapping[str, Any]
    terms: list[str]
    truth: Floats
    replicates: list[list[Replicates]]
    usable: NDArray[np.bool_]
    estimated: NDArray[np.bool_]
    finite_variance: list[bool]

    @property
    def settings(self) -> Settings:
        """Of the measures."""
        return Settings(alpha=self.job["alpha"])

    @property
    def reference(self) -> int:
        """The place of the reference strategy."""
        return int(self.job["strategies"].index(self.job["reference"]))

    def performance(self) -> pa.Table:
        """A row per strategy, term, handling and measure."""
        rows = []
        for s, label in enumerate(self.job["strategies"]):
            failures = measures.failure_rate(self.usable[s])
            for k, (term, true_value) in enumerate(self._true_values.items()):
                for handling, results in self._handled(s, k).items():
                    results["failure_rate"] = failures
                    for name in measures.NAMES:
                        if name in results:
                            key = (label, term, true_value, handling, name)
                            rows.append((*key, *results[name]))
        return _table(rows, PERFORMANCE)

    def differences(self) -> pa.Table:
        """A row per strategy but the reference, term that both estimate, handling and measure."""
        rows = []
        f = self.reference
        for s, label in enumerate(self.job["strategies"]):
            failures = measures.failure_difference(self.usable[s], self.usable[f])
            for k, (term, true_value) in enumerate(self._true_values.items()):
                if s == f or not (self.estimated[s, k] and self.estimated[f, k]):
                    continue
                found: dict[str, Result] = {}
                for handling in HANDLINGS:
                    if not found or not self._is_case_wise(handling, s, f):
                        own, other, finite = self._pair(handling, s, k)
                        found = {
                            name: measures.difference(
                                name, own, other, self.settings, finite_variance=finite
                            )
                            for name in measures.MEASURES
                        }
                    key = (label, self.job["reference"], term, true_value, handling)
                    rows += [(*key, name, *result) for name, result in found.items()]
                    rows.append((*key, "failure_rate", *failures))
        return _table(rows, DIFFERENCES)

    @cached_property
    def _true_values(self) -> dict[str, float | None]:
        """The coefficients' true values where they are the same in every sim, else None."""
        return {
            term: float(true[0]) if (true == true[0]).all() else None
            for term, true in zip(self.terms, self.truth, strict=True)
        }

    @cached_property
    def _joint(self) -> NDArray[np.bool_]:
        """(S,) where every strategy is usable."""
        return np.asarray(self.usable.all(axis=0))

    def _handled(self, s: int, k: int) -> dict[str, dict[str, Result]]:
        """The measures of a strategy and term under each handling of failures."""
        if not self.estimated[s, k]:
            absent = Result(np.nan, np.nan, 0, NOT_ESTIMATED)
            names = [*measures.MEASURES, "relative_precision"]
            return {handling: dict.fromkeys(names, absent) for handling in HANDLINGS}
        handled: dict[str, dict[str, Result]] = {}
        for handling in HANDLINGS:
            if handled and self._is_case_wise(handling, s):
                results = dict(handled["case_wise"])
            else:
                own, used, finite = self._under(handling, s, k)
                own = own.take(used)
                results = {
                    name: measures.evaluate(name, own, self.settings, finite_variance=finite)
                    for name in measures.MEASURES
                }
            alike = self._is_case_wise(handling, s, self.reference)
            if "relative_precision" not in results or not alike:
                results["relative_precision"] = self._precision(handling, s, k)
            handled[handling] = results
        return handled

    def _is_case_wise(self, handling: str, *strategies: int) -> bool:
        """Whether a handling leaves the replicates of some strategies as they are, case by case."""
        if handling == "fallback":
            return bool(self.usable[list(strategies)].all())
        return bool(self._joint[self.usable[list(strategies)].all(axis=0)].all())

    def _under(self, handling: str, s: int, k: int) -> tuple[Replicates, NDArray[np.bool_], bool]:
        """A strategy's S replicates, which of them count, and whether their variance is finite."""
        own, usable, finite = self.replicates[s][k], self.usable[s], self.finite_variance[s]
        if handling == "list_wise":
            return own, self._joint, finite
        if handling == "case_wise" or usable.all():
            return own, usable, finite
        f = self.job["strategies"].index(self.job["fallback"])
        filled = own.replaced(~usable, self.replicates[f][k])
        return filled, usable | self.usable[f], finite and self.finite_variance[f]

    def _pair(self, handling: str, s: int, k: int) -> tuple[Replicates, Replicates, bool]:
        """A strategy's and the reference's replicates of the same datasets, and as `_under`."""
        own, used, finite = self._under(handling, s, k)
        other, also, too = self._under(handling, self.reference, k)
        return own.take(used & also), other.take(used & also), finite and too

    def _precision(self, handling: str, s: int, k: int) -> Result:
        """The relative precision on the datasets of which the reference has an estimate, too."""
        if not self.estimated[self.reference, k]:
            return Result(np.nan, np.nan, 0, NOT_ESTIMATED)
        own, other, finite = self._pair(handling, s, k)
        return measures.relative_precision(own, other, self.settings, finite_variance=finite)


def _cells(
    job: Mapping[str, Any], estimates: str, fits: str, truth: Sequence[str]
) -> Iterator[CellFits]:
    """The cells of the study in turn."""
    labels, S = job["strategies"], job["sims"]
    fits_of_cells = _by_rows(fits, ["sim", "strategy", "status"])
    estimates_of_cells = _by_rows(estimates, COLUMNS)
    rest = iter(truth)
    for place, blocks in enumerate(job["blocks"]):
        terms, values = _truth({next(rest): block for block in blocks})
        p = len(terms)
        table = estimates_of_cells(S * len(labels) * p)
        numbers = {
            name: np.ascontiguousarray(
                table[name].to_numpy().reshape(S, len(labels), p).transpose(1, 2, 0)
            )
            for name in COLUMNS
        }
        glance = fits_of_cells(S * len(labels))
        if glance["strategy"].to_pylist() != labels * S or glance["sim"][-1].as_py() != S - 1:
            raise DataError(f"{fits}: is not of the study's strategies; delete it and run again")
        usable = pc.is_in(glance["status"], pa.array(job["usable"])).to_numpy()
        usable = usable.reshape(S, len(labels)).T
        finite = np.isfinite(numbers["estimate"])
        usable = usable & finite.any(axis=1)
        estimated = (finite & usable[:, None]).any(axis=2) | ~usable.any(axis=1)[:, None]
        replicates = [
            [
                Replicates.of(truth=values[k], **{name: a[s, k] for name, a in numbers.items()})
                for k in range(p)
            ]
            for s in range(len(labels))
        ]
        finite_variance = [job["finite_variance"][label][place] for label in labels]
        yield CellFits(job, terms, values, replicates, usable, estimated, finite_variance)


def _truth(shards: Mapping[str, tuple[int, int]]) -> tuple[list[str], Floats]:
    """The terms of a cell and their true values, (p, S), from its shards."""
    parts = []
    for path, (first, last) in shards.items():
        table = read_parquet(path)
        sims = last - first + 1
        terms = table["term"].to_pylist()[: table.num_rows // sims]
        wanted = np.repeat(np.arange(first, last + 1), len(terms))
        if not np.array_equal(table["sim"].to_numpy(), wanted):
            raise DataError(f"{path}: expected sims {first} to {last}; delete it and run again")
        parts.append(table["value"].to_numpy().reshape(sims, len(terms)))
    return terms, np.ascontiguousarray(np.concatenate(parts).T)


def _by_rows(path: str, columns: Sequence[str]) -> Callable[[int], pa.Table]:
    """A function that returns the next so many rows of a table, of which it holds no more."""
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read ({reason}); delete it and run again") from None
    groups = iter(range(file.num_row_groups))
    waiting = file.schema_arrow.empty_table().select(columns)

    def following(rows: int) -> pa.Table:
        nonlocal waiting
        while waiting.num_rows < rows:
            group = next(groups, None)
            if group is None:
                raise DataError(f"{path}: holds fewer rows than the study; delete it and run again")
            waiting = pa.concat_tables([waiting, file.read_row_group(group, list(columns))])
        chosen, waiting = waiting.slice(0, rows), waiting.slice(rows)
        return chosen

    return following


def _table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Rows as a table, NaN as null."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    arrays = [
        pa.array(column, field.type, from_pandas=True)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.table(arrays, schema=schema)

"""The performance of every strategy in one cell, and its differences from a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustrategy.core.fits import have_numbers
from clustrategy.core.shard import Floats
from clustrategy.evaluation import measures
from clustrategy.evaluation.measures import Replicates, Result, Settings

NUMBERS = ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high")
"""The columns of the estimates that the measures are computed from."""

HANDLINGS = ("case_wise", "list_wise", "fallback")
"""The ways to deal with unusable fits: without them, without the datasets on which any strategy
has one, or with the fit of another strategy in their place."""

NOT_ESTIMATED = "not estimated"

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


@dataclass(frozen=True)
class Comparison:
    """How the strategies of a study are compared.

    Attributes
    ----------
    strategies : tuple of str
        The labels, in the order of the tables.
    reference : str
        The strategy that the others are compared with.
    fallback : str
        The strategy whose fits replace unusable ones where the handling is `fallback`.
    alpha : float
        The level of the tests.
    usable : tuple of str
        The statuses of fits whose numbers count.
    """

    strategies: tuple[str, ...]
    reference: str
    fallback: str
    alpha: float
    usable: tuple[str, ...]


@dataclass(frozen=True)
class CellFits:
    """All fits to the datasets of one cell.

    Attributes
    ----------
    comparison : Comparison
        How the strategies are compared.
    terms : Sequence of str
        The p coefficients.
    truth : (p, S) array
        The true values in each of the S sims.
    replicates : list of list of Replicates
        By strategy and term, each of all sims.
    usable : (strategies, S) array of bool
        Whether a fit has numbers that count.
    estimated : (strategies, p) array of bool
        Whether a strategy estimates a coefficient at all.
    finite_variance : Sequence of bool
        Whether the estimates of each strategy have a finite variance.
    """

    comparison: Comparison
    terms: Sequence[str]
    truth: Floats
    replicates: list[list[Replicates]]
    usable: NDArray[np.bool_]
    estimated: NDArray[np.bool_]
    finite_variance: Sequence[bool]

    @classmethod
    def of(
        cls,
        comparison: Comparison,
        terms: Sequence[str],
        truth: Floats,
        numbers: Mapping[str, Floats],
        status: NDArray[np.object_],
        finite_variance: Sequence[bool],
        at_truth: Floats | None = None,
    ) -> CellFits:
        """Take the fits from arrays.

        Parameters
        ----------
        comparison : Comparison
            How the strategies are compared.
        terms : Sequence of str
            The p coefficients.
        truth : (p, S) array
            The true values in each of the S sims.
        numbers : Mapping of str to (strategies, p, S) array
            The columns `NUMBERS` of the estimates.
        status : (strategies, S) array of str
            The status of each fit. A fit without a finite estimate is unusable whatever it says.
        finite_variance : Sequence of bool
            Whether the estimates of each strategy have a finite variance.
        at_truth : (strategies, p, S) array, optional
            The p-values of the tests of the truth, where they are not those of t.
        """
        finite = np.asarray(np.isfinite(numbers["estimate"]))
        usable = have_numbers(status, numbers["estimate"], comparison.usable)
        estimated = (finite & usable[:, None]).any(axis=2)
        estimated = np.asarray(estimated | ~usable.any(axis=1, keepdims=True))
        replicates = [
            [
                Replicates.of(
                    truth=truth[k],
                    p_null=None if at_truth is None else at_truth[s, k],
                    **{name: a[s, k] for name, a in numbers.items()},
                )
                for k in range(len(terms))
            ]
            for s in range(len(comparison.strategies))
        ]
        return cls(comparison, terms, truth, replicates, usable, estimated, finite_variance)

    @property
    def settings(self) -> Settings:
        """The settings of the measures."""
        return Settings(alpha=self.comparison.alpha)

    @property
    def reference(self) -> int:
        """The place of the reference strategy."""
        return self.comparison.strategies.index(self.comparison.reference)

    def performance(self) -> pa.Table:
        """Return a row per strategy, term, handling and measure, as `PERFORMANCE`."""
        rows = []
        for s, label in enumerate(self.comparison.strategies):
            lost = measures.unusable_rate(self.usable[s])
            for k, (term, true_value) in enumerate(self._true_values.items()):
                for handling, results in self._handled(s, k).items():
                    results["unusable_rate"] = lost
                    for name in measures.NAMES:
                        if name in results:
                            key = (label, term, true_value, handling, name)
                            rows.append((*key, *results[name]))
        return _table(rows, PERFORMANCE)

    def differences(self) -> pa.Table:
        """Return a row per strategy, term, handling and measure, as `DIFFERENCES`.

        The reference has no rows, nor have terms that it or the strategy does not estimate.
        """
        rows = []
        f = self.reference
        for s, label in enumerate(self.comparison.strategies):
            lost = measures.unusable_difference(self.usable[s], self.usable[f])
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
                    key = (label, self.comparison.reference, term, true_value, handling)
                    rows += [(*key, name, *result) for name, result in found.items()]
                    rows.append((*key, "unusable_rate", *lost))
        return _table(rows, DIFFERENCES)

    @cached_property
    def _true_values(self) -> dict[str, float | None]:
        """The true value of each term, None where it differs between sims."""
        return {
            term: float(true[0]) if (true == true[0]).all() else None
            for term, true in zip(self.terms, self.truth, strict=True)
        }

    @cached_property
    def _joint(self) -> NDArray[np.bool_]:
        """(S,) where every strategy is usable."""
        return np.asarray(self.usable.all(axis=0))

    def _handled(self, s: int, k: int) -> dict[str, dict[str, Result]]:
        """Evaluate the measures of a strategy and term under each handling of unusable fits."""
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
        """Tell whether a handling uses the same replicates of some strategies as `case_wise`."""
        if handling == "fallback":
            return bool(self.usable[list(strategies)].all())
        return bool(self._joint[self.usable[list(strategies)].all(axis=0)].all())

    def _under(self, handling: str, s: int, k: int) -> tuple[Replicates, NDArray[np.bool_], bool]:
        """Return a strategy's replicates, which of them count, whether their variance is finite."""
        own, usable, finite = self.replicates[s][k], self.usable[s], self.finite_variance[s]
        if handling == "list_wise":
            return own, self._joint, finite
        if handling == "case_wise" or usable.all():
            return own, usable, finite
        f = self.comparison.strategies.index(self.comparison.fallback)
        filled = own.replaced(~usable, self.replicates[f][k])
        return filled, usable | self.usable[f], finite and self.finite_variance[f]

    def _pair(self, handling: str, s: int, k: int) -> tuple[Replicates, Replicates, bool]:
        """Return a strategy's and the reference's replicates of the datasets where both count."""
        own, used, finite = self._under(handling, s, k)
        other, also, too = self._under(handling, self.reference, k)
        return own.take(used & also), other.take(used & also), finite and too

    def _precision(self, handling: str, s: int, k: int) -> Result:
        """Evaluate the relative precision on the datasets where the reference counts as well."""
        if not self.estimated[self.reference, k]:
            return Result(np.nan, np.nan, 0, NOT_ESTIMATED)
        own, other, finite = self._pair(handling, s, k)
        return measures.relative_precision(own, other, self.settings, finite_variance=finite)


def _table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Return rows as a table, NaN as null."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    arrays = [
        pa.array(column, field.type, from_pandas=True)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.table(arrays, schema=schema)

"""Fits of the same datasets by reference engines beside those of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustrategy.audit.distance import Numbers
from clustrategy.audit.judgement import best_criterion, judge
from clustrategy.audit.references import audited
from clustrategy.core.fits import Fits
from clustrategy.core.shard import Floats, Shard
from clustrategy.engines.chosen import Strategy

WARNINGS = ("optimizer_warning", "gradient_warning", "hessian_warning")

AUDIT = pa.schema(
    [
        ("sim", pa.int64()),
        ("strategy", pa.string()),
        ("engine", pa.string()),
        ("reference", pa.string()),
        ("term", pa.string()),
        *(
            (f"{prefix}{name}", pa.float64())
            for name in Numbers._fields
            for prefix in ("", "reference_")
        ),
        ("status", pa.string()),
        ("message", pa.string()),
        ("reference_status", pa.string()),
        ("reference_message", pa.string()),
        ("singular", pa.bool_()),
        ("reference_singular", pa.bool_()),
        *((f"reference_{name}", pa.bool_()) for name in WARNINGS),
        ("reml_criterion", pa.float64()),
        ("reference_reml_criterion", pa.float64()),
        ("best_reml_criterion", pa.float64()),
        ("verdict", pa.string()),
    ]
)


@dataclass(frozen=True)
class Audited:
    """A strategy of a study and what audits it.

    Attributes
    ----------
    strategy : Strategy
        The strategy as the study has it.
    chosen : Strategy
        What is audited in its name.
    references : Sequence of Strategy
        The same strategy by reference engines.
    """

    strategy: Strategy
    chosen: Strategy
    references: Sequence[Strategy]

    @classmethod
    def of(cls, strategy: Strategy, engine: str, references: Sequence[Strategy]) -> Audited:
        """Choose what is audited, given the reference of mixed models."""
        return cls(strategy, audited(strategy, engine), references)


def compare(shard: Shard, sims: Sequence[int], audit: Audited, kept: Fits) -> pa.Table:
    """Fit the references to some datasets and judge the study's fits by them.

    Parameters
    ----------
    shard : Shard
        The datasets.
    sims : Sequence of int
        Their sims.
    audit : Audited
        The strategy and its references.
    kept : Fits
        The study's fits of the strategy.

    Returns
    -------
    Table
        A row per reference, sim and term, as `AUDIT`.
    """
    strategy, chosen = audit.strategy, audit.chosen
    found = kept if chosen.engine == strategy.engine else chosen.fit(shard)
    others = {
        reference.engine: kept if reference.engine == strategy.engine else reference.fit(shard)
        for reference in audit.references
    }
    best = best_criterion([found, *others.values()])
    parts = [
        _table(
            shard.terms,
            sims,
            (strategy.label, chosen.engine, engine),
            (found, other),
            best,
            judge(shard, strategy, found, other, best),
        )
        for engine, other in others.items()
    ]
    return pa.concat_tables([AUDIT.empty_table(), *parts])


def _table(
    terms: Sequence[str],
    sims: Sequence[int],
    names: tuple[str, str, str],
    fits: tuple[Fits, Fits],
    best: Floats,
    verdict: NDArray[np.object_],
) -> pa.Table:
    p = len(terms)
    columns: dict[str, Any] = {
        "sim": np.repeat(np.asarray(sims, dtype=np.int64), p),
        "term": list(terms) * len(sims),
        "verdict": pa.array(np.repeat(verdict, p)),
        "best_reml_criterion": np.repeat(best, p),
    }
    for name, value in zip(("strategy", "engine", "reference"), names, strict=True):
        columns[name] = pa.repeat(value, p * len(sims))
    for prefix, one in zip(("", "reference_"), fits, strict=True):
        for name, values in Numbers.of(one)._asdict().items():
            columns[f"{prefix}{name}"] = values.reshape(-1)
        for name in ("status", "message", "singular", "reml_criterion", *WARNINGS):
            columns[f"{prefix}{name}"] = pa.array(np.repeat(getattr(one, name), p))
    return pa.table([columns[name] for name in AUDIT.names], schema=AUDIT)

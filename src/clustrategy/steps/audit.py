"""Fit the first sims of every cell again by reference engines, and hold the two side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clustrategy.audit import verdicts as audit
from clustrategy.core.cells import read_shard_path
from clustrategy.core.errors import DataError
from clustrategy.core.fits import Fits
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import Shard
from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.tables.estimates import fits_from_tables
from clustrategy.tables.files import read_parquet, write_parquet

AUDITED = ("estimate", "std_error", "df", "p_value")
WARNINGS = ("optimizer_warning", "gradient_warning", "hessian_warning")

AUDIT = pa.schema(
    [
        ("sim", pa.int64()),
        ("strategy", pa.string()),
        ("engine", pa.string()),
        ("reference", pa.string()),
        ("term", pa.string()),
        *((f"{prefix}{name}", pa.float64()) for name in AUDITED for prefix in ("", "reference_")),
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


def audit_shards(
    job: Mapping[str, Any],
    *,
    estimates: Sequence[str],
    fits: Sequence[str],
    audits: Sequence[str],
) -> None:
    """`audit_shard` for shards, one after the other."""
    for answer, glance, out in zip(estimates, fits, audits, strict=True):
        audit_shard(job, estimates=answer, fits=glance, audit_table=out)


def audit_shard(job: Mapping[str, Any], *, estimates: str, fits: str, audit_table: str) -> None:
    """Write a row per audited sim, strategy, reference and term.

    The numbers of the study are read as they stand in its shards; the data are drawn again.

    Parameters
    ----------
    job : `seed` and `dgp` of the study, `sims` (how many of each cell are audited), `engine` (the
        reference of the mixed models), `strategies` (entries) and `references` (entries by label).
    estimates, fits : a shard of the study.
    audit_table : the file to write.
    """
    cell, sims = read_shard_path(audit_table)
    sims = sims[: max(0, job["sims"] - sims[0])]
    drawn = simulate(Process(**{**job["dgp"], **cell}), job["seed"], cell, sims)
    answer, glance = (_first(read_parquet(path), sims) for path in (estimates, fits))
    parts = [AUDIT.empty_table()]
    for entry in job["strategies"]:
        strategy = Strategy.parse(entry)
        kept = fits_from_tables(*(_only(table, strategy) for table in (answer, glance)))
        if kept.status.size != len(sims):
            raise DataError(f"{fits}: lacks sims of {strategy.label!r}; delete it and run again")
        references = [Strategy.parse(other) for other in job["references"][strategy.label]]
        chosen = audit.audited(strategy, job["engine"])
        parts += _audit(drawn.shard, sims, (strategy, chosen), kept, references)
    write_parquet(pa.concat_tables(parts), audit_table, {})


def _first(table: pa.Table, sims: Sequence[int]) -> pa.Table:
    return table.filter(pc.is_in(table["sim"], pa.array(sims, pa.int64())))


def _only(table: pa.Table, strategy: Strategy) -> pa.Table:
    return table.filter(pc.equal(table["strategy"], strategy.label))


def _audit(
    shard: Shard,
    sims: Sequence[int],
    strategies: tuple[Strategy, Strategy],
    kept: Fits,
    references: Sequence[Strategy],
) -> list[pa.Table]:
    """A table for each reference of a strategy, which is given with what is audited in its name."""
    strategy, chosen = strategies
    found = kept if chosen.engine == strategy.engine else chosen.fit(shard)
    others = {
        reference.engine: kept if reference.engine == strategy.engine else reference.fit(shard)
        for reference in references
    }
    best = audit.best_criterion([found, *others.values()])
    return [
        _table(
            shard.terms,
            sims,
            (strategy.label, chosen.engine, engine),
            (found, other),
            best,
            audit.verdicts(shard, strategy, found, other, best),
        )
        for engine, other in others.items()
    ]


def _table(
    terms: Sequence[str],
    sims: Sequence[int],
    names: tuple[str, str, str],
    fits: tuple[Fits, Fits],
    best: np.ndarray,
    verdict: np.ndarray,
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
        numbers = (one.estimate, one.std_error, one.df)
        for name, values in zip(AUDITED, (*numbers, t_inference(*numbers).p_value), strict=True):
            columns[f"{prefix}{name}"] = values.reshape(-1)
        for name in ("status", "message", "singular", "reml_criterion", *WARNINGS):
            columns[f"{prefix}{name}"] = pa.array(np.repeat(getattr(one, name), p))
    return pa.table([columns[name] for name in AUDIT.names], schema=AUDIT)

"""What share of each strategy's fits was singular or unusable, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from clustrategy.evaluation.over_cells import named


@dataclass(frozen=True)
class Share:
    """A share of fits.

    Attributes
    ----------
    count : int
        Over all cells.
    share : float
        Over all cells.
    most : float
        In the cell that has the largest.
    where : str
        That cell, empty where there are none.
    """

    count: int
    share: float
    most: float
    where: str


@dataclass(frozen=True)
class Failures:
    """How the fits of a strategy ended.

    Attributes
    ----------
    strategy : str
    fits : int
    singular, unusable : Share
    ends : list of (str, int)
        The unusable ones by what their fit said, the most frequent first.
    """

    strategy: str
    fits: int
    singular: Share
    unusable: Share
    ends: list[tuple[str, int]]


def failures(
    fits: pa.Table, factors: Sequence[str], strategies: Sequence[str], usable: Sequence[str]
) -> list[Failures]:
    """Count how the fits ended, by strategy.

    Parameters
    ----------
    fits : Table
        Of the study.
    factors, strategies : sequence of str
        In the order of the study.
    usable : sequence of str
        The status of fits whose numbers count.
    """
    lost = pc.invert(pc.is_in(fits["status"], pa.array(list(usable))))
    said = pc.if_else(pc.equal(fits["message"], ""), fits["status"], fits["message"])
    table = fits.select([*factors, "strategy"])
    table = table.append_column("singular", pc.fill_null(fits["singular"], False).cast(pa.int64()))
    table = table.append_column("unusable", lost.cast(pa.int64()))
    by_cell = table.group_by([*factors, "strategy"], use_threads=False).aggregate(
        [("singular", "sum"), ("unusable", "sum"), ("unusable", "count")]
    )
    messages = (
        pa.table({"strategy": fits["strategy"], "said": said})
        .filter(lost)
        .group_by(["strategy", "said"], use_threads=False)
        .aggregate([([], "count_all")])
        .to_pylist()
    )
    rows = by_cell.to_pylist()
    found = []
    for label in strategies:
        of_label = [row for row in rows if row["strategy"] == label]
        ends = [(row["said"], row["count_all"]) for row in messages if row["strategy"] == label]
        found.append(
            Failures(
                label,
                sum(row["unusable_count"] for row in of_label),
                _share(of_label, factors, "singular_sum"),
                _share(of_label, factors, "unusable_sum"),
                sorted(ends, key=lambda end: -end[1]),
            )
        )
    return found


def _share(rows: Sequence[dict], factors: Sequence[str], name: str) -> Share:
    count = sum(row[name] for row in rows)
    fits = sum(row["unusable_count"] for row in rows)
    if not count:
        return Share(0, 0.0, 0.0, "")
    worst = max(rows, key=lambda row: row[name] / row["unusable_count"])
    where = named({factor: worst[factor] for factor in factors})
    return Share(count, count / fits, worst[name] / worst["unusable_count"], where)

"""Sentences about the effects that a study's strategies find in 80 % of datasets."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from clustrategy.core.words import number
from clustrategy.evaluation.detectable import over_all_cells
from clustrategy.evaluation.recommendation import Answer, short


def detectable_sentences(answers: Sequence[Answer], detectable: pa.Table) -> list[str]:
    """Say for each term the effect that is found in 80 % of datasets, whichever scenario holds.

    It is that of the strategy that is recommended first; where none is, of the first that is
    undecided, at the critical value that gives it its level. Terms without either have no sentence.

    Parameters
    ----------
    answers : sequence of Answer
        The advice of a study on a table.
    detectable : Table
        As `detectable.parquet` holds it.
    """
    rows = over_all_cells(detectable)
    found = []
    for answer in answers:
        standing = next(iter(answer.shown), None)
        if standing is None:
            continue
        row = rows.get((standing.strategy, answer.kind, not standing.is_safe))
        if row is None:
            continue
        name = short(standing.strategy)
        if row["effect"] is None:
            found.append(f"No effect of {answer.kind} is found in 80 % by {name}: {row['note']}.")
            continue
        effect = number(row["effect"])
        if row["standardised"] is not None:
            effect += f" ({number(row['standardised'], 2)} {row['standardised_by']})"
        finds = "finds" if standing.is_safe else "would, at its level, find"
        found.append(
            f"{name} {finds} an effect of {effect} of {answer.kind} in 80 % of datasets, whichever "
            "scenario holds."
        )
    return found

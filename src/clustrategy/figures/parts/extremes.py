"""The worst cell of each strategy, and what titles say of the worst and the best strategy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from clustrategy.figures.parts.labels import cell_label, quoted_label

Says = Callable[[pd.Series], str]


def worst_values(values: pd.DataFrame) -> pd.DataFrame:
    """Return the row of each strategy with the largest ``away``, the largest of all first."""
    worst = values.loc[values.groupby("strategy", sort=False)["away"].idxmax()]
    return worst.sort_values("away", ascending=False, kind="stable")


def worst_and_best(
    worst: pd.DataFrame, first: Says, last: Says, several: Sequence[str] = ()
) -> str:
    """Say something of the strategy that is the worst in its worst cell, and of the best.

    The two parts of the sentence are written from rows of what `worst_values` returns with
    ``who``, the strategy's name, and ``cell``, which `several` factors tell apart, in brackets.
    """
    cells = [cell_label(row.to_dict(), several) for _, row in worst.iterrows()]
    named = worst.assign(
        who=worst["strategy"].map(quoted_label), cell=[f" ({c})" if c else "" for c in cells]
    )
    said = first(named.iloc[0])
    return said if len(named) == 1 else f"{said}, {last(named.iloc[-1])}"

"""The cells of a study in a table: the factors that vary, their levels, and the worst cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from clustrategy.core.cells import SIZES, SPREADS
from clustrategy.figures.parts.labels import OBSERVATIONS, cell_label, quoted_label

Says = Callable[[pd.Series], str]


def further_factors(table: pd.DataFrame, factors: Sequence[str]) -> list[str]:
    """Return the factors with several levels in a table, beyond sizes and how clusters differ."""
    return varied(table, [name for name in factors if name not in (*SIZES, *SPREADS)])


def spreads(factors: Sequence[str]) -> list[str]:
    """Return those of the factors that say how much clusters differ."""
    return [name for name in SPREADS if name in factors]


def x_factor(table: pd.DataFrame, factors: Sequence[str]) -> str:
    """Return the factor whose levels stand along the x axis.

    It is the last of those that say how much clusters differ, if possible one with several levels
    in the table. Where the grid has none of them, it is the last of the other factors with several
    levels, or the observations per cluster.
    """
    found = spreads(factors)
    return [OBSERVATIONS, *further_factors(table, factors), *found, *varied(table, found)][-1]


def combinations(table: pd.DataFrame, factors: Sequence[str]) -> list[tuple]:
    """Return the combinations of levels in a table, in order; of no factors, an empty one."""
    if not factors:
        return [()]
    levels = table[list(factors)].drop_duplicates().sort_values(list(factors))
    return list(levels.itertuples(False, None))


def varied(table: pd.DataFrame, factors: Sequence[str]) -> list[str]:
    """Return the factors with several levels in a table."""
    return [name for name in factors if table[name].nunique() > 1]


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


def worst_established(
    worst: pd.DataFrame, off: pd.DataFrame, first: Says, last: Says, found: str
) -> str:
    """Say something of the worst, and of the best only if all are ``off`` by more than chance.

    Else the others, of which nothing is ``found``, are counted; the other parameters are those of
    `worst_and_best`.
    """
    others = len(worst) - len(off)
    if not others:
        return worst_and_best(off, first, last)
    said = worst_and_best(off.head(1), first, last)
    are = "is" if others == 1 else "are"
    return f"{said}; {others} of {len(worst)} strategies {are} not {found}"

"""How strategies stand in some cells of the study."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from studies.which_strategy.collection import ADJUSTED, FACTORS, POWER, RATE, UNUSABLE
from studies.which_strategy.parts import CORE
from studies.which_strategy.strategies import STRATEGIES

WITHIN = "predictor within clusters"
BETWEEN = "cluster-level predictor"
TREATMENT = "treatment of whole clusters"
STEADY = "predictor with ICC 0.9"

KINDS = {
    WITHIN: "Predictor within clusters",
    BETWEEN: "Cluster-level predictor",
    TREATMENT: "Treatment of whole clusters",
}
"""The kinds of the core, as titles."""

EFFECT = 0.8
"""The power of an oracle at the effect by which strategies are compared."""

INDIFFERENCE = 0.02
"""Finding less by so much is of no account."""


class Standing(NamedTuple):
    """How a strategy stands in some cells, for one kind of predictor.

    Attributes
    ----------
    strategy : str
        Its label.
    safe, liberal : bool
        Whether it is safe in each cell, and liberal in any.
    rate, mcse : float
        The false-positive rate of its worst cell, of fresh sims where it was drawn again.
    found : float
        How often it finds the effect, mean over the cells; at the critical value that gives exactly
        5 % false positives where it has more.
    """

    strategy: str
    safe: bool
    liberal: bool
    rate: float
    mcse: float
    found: float

    @property
    def name(self) -> str:
        """What the page calls it."""
        return STRATEGIES[self.strategy].short

    @property
    def order(self) -> tuple[bool, bool, float]:
        """The safe first, those that find most; the liberal last, by their rate."""
        return not self.safe, self.liberal, self.rate if self.liberal else -self.found


def best(standings: Sequence[Standing]) -> list[Standing]:
    """Return the safe strategies that find about as much as the one that finds most."""
    safe = [one for one in standings if one.safe]
    most = max((one.found for one in safe), default=0.0)
    return [one for one in safe if one.found >= most - INDIFFERENCE]


def chosen(rows: pd.DataFrame, **where: Any) -> pd.DataFrame:
    """Return the rows with some levels, each of one column one or of a list."""
    for name, level in where.items():
        rows = rows[rows[name].isin(level if isinstance(level, list) else [level])]
    return rows


class Evidence:
    """The verdicts of all parts of the study.

    Parameters
    ----------
    rows : DataFrame
        As `collection.read` gives them.

    Attributes
    ----------
    cells : DataFrame
        The verdicts on single cells.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        asked = rows["measure"].isin([RATE, UNUSABLE]) | (
            rows["measure"].isin([POWER, ADJUSTED]) & (rows["effect"] == EFFECT)
        )
        rows = rows[asked & rows["value"].notna()]
        self.cells = rows[rows["scope"] == "cell"]
        # Those of worst cells, which were drawn again.
        self._fresh = _by_part(rows[(rows["scope"] != "cell") & (rows["measure"] == RATE)])
        self._cells = _by_part(self.cells)

    @cached_property
    def datasets(self) -> int:
        """How many datasets were drawn, those of worst cells drawn again left out."""
        drawn = self.cells[self.cells["measure"] == UNUSABLE]
        return int(drawn.drop_duplicates(["study", *FACTORS])["n"].sum())

    def count(self, part: str, kind: str, **where: Any) -> int:
        """Return how many cells there are."""
        return len(chosen(self.cells, part=part, kind=kind, measure=RATE, strategy="ols", **where))

    def levels(self, factor: str, part: str = CORE) -> list[float]:
        """Return the levels of a factor."""
        return sorted(chosen(self.cells, part=part)[factor].unique().tolist())

    def kinds(self, part: str, **where: Any) -> list[str]:
        """Return the kinds of predictors in some cells."""
        return [
            str(kind) for kind in chosen(self.cells, part=part, **where)["kind"].dropna().unique()
        ]

    def standings(self, part: str, kind: str, **where: Any) -> list[Standing]:
        """Return how all strategies stand, in their order.

        Parameters
        ----------
        part, kind : str
            Of the study, and of predictors.
        **where
            The levels of some factors, of each one or a list.
        """
        cells = chosen(self._cells.get((part, kind), self.cells.iloc[:0]), **where)
        fresh = self._of_fresh(part, kind, where)
        found = _found(cells)
        standings = []
        for strategy, mine in cells[cells["measure"] == RATE].groupby("strategy", sort=False):
            worst: Any = mine.iloc[int(mine["value"].argmax())]
            if strategy in fresh.index:
                worst = fresh.loc[strategy]
            standings.append(
                Standing(
                    str(strategy),
                    bool(mine["safe"].all()),
                    bool((mine["verdict"] == "liberal").any()),
                    float(worst["value"]),
                    float(worst["mcse"]),
                    float(found[strategy]),
                )
            )
        return sorted(standings, key=lambda one: one.order)

    def _of_fresh(self, part: str, kind: str, where: dict[str, Any]) -> pd.DataFrame:
        """Return by strategy the fresh rates of the worst of these cells, where they were drawn."""
        of = self._fresh.get((part, kind))
        if of is None or any(isinstance(level, list) for level in where.values()):
            return pd.DataFrame()
        return chosen(of, scope=", ".join(where) or "all", **where).set_index("strategy")


def _by_part(rows: pd.DataFrame) -> dict[Any, pd.DataFrame]:
    return dict(iter(rows.groupby(["part", "kind"])))


def _found(cells: pd.DataFrame) -> pd.Series:
    """Return by strategy how often the effect is found, the mean over cells."""
    factors = [name for name in FACTORS if cells[name].notna().any()]
    at = cells.set_index(["strategy", *factors])
    plain, adjusted = (at.loc[at["measure"] == one, ["value"]] for one in (POWER, ADJUSTED))
    lower = plain.join(adjusted, rsuffix="_adjusted").min(axis=1)
    return lower.groupby(level="strategy").mean()

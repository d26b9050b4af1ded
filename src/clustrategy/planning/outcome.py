"""How many clusters a study needs: the answer, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from tabulate import tabulate

from clustrategy.planning.asked import Asked
from clustrategy.planning.costs import Pair
from clustrategy.planning.search import Answer
from clustrategy.planning.trials import Trials
from clustrategy.planning.words import Words, heads_and_lines

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Plan:
    """How many clusters a study needs, by strategy.

    Print it for what to do.

    Attributes
    ----------
    asked : Asked
        The settings.
    trials : Trials
        The simulated studies.
    answers : list of Answer
        Of each strategy, in the order of the strategies.
    pairs : dict of str to Pair
        The cheapest pair of clusters and rows of each strategy, where rows were to be chosen; the
        answers are those with the rows of the cheapest of them.
    """

    asked: Asked = field(repr=False)
    trials: Trials = field(repr=False)
    answers: list[Answer] = field(repr=False)
    pairs: dict[str, dict[int, Pair]] = field(repr=False)

    @cached_property
    def ranked(self) -> list[Answer]:
        """The answers: those with a sample size first, the fewest clusters before more."""
        return sorted(self.answers, key=_rank)

    @property
    def recommended(self) -> Answer | None:
        """The strategy that needs the fewest clusters of those that hold their level."""
        first = self.ranked[0]
        fits = first.clusters is not None or (first.holds and first.where == "none")
        return first if fits else None

    @cached_property
    def words(self) -> Words:
        """The answer in words."""
        return Words.of(self.asked, self.trials, self.ranked, self.recommended, self.pairs)

    def table(self) -> pd.DataFrame:
        """Return a row per strategy, the recommended one first.

        Returns
        -------
        DataFrame
            strategy; clusters, conf_low and conf_high: the number it needs and its 95 % interval,
            missing where it has none; searched (`within`, `below` or `above` the range, `unknown`,
            or `none`); needed, where the fitted curve has the power asked for; at, the number of
            clusters that the rest is of: power, power_low and power_high, by the curve where there
            is one; false_positive_rate, rate_low, rate_high, verdict, safe, unusable_rate, sims;
            and recommended.
        """
        import pandas as pd

        rows = []
        for one in self.ranked:
            found, level = one.power, one.level
            some = one.clusters is not None and one.where == "within"
            low, high = one.interval if some else (np.nan, np.nan)
            rows.append(
                {
                    "strategy": one.strategy,
                    "clusters": one.clusters,
                    "conf_low": low,
                    "conf_high": high,
                    "searched": one.where,
                    "needed": one.needed.value,
                    "at": one.at,
                    "power": found.value,
                    "power_low": found.low,
                    "power_high": found.high,
                    "false_positive_rate": level.found.value,
                    "rate_low": level.found.low,
                    "rate_high": level.found.high,
                    "verdict": level.verdict.word if level.verdict else "",
                    "safe": one.holds,
                    "unusable_rate": one.unusable,
                    "sims": self.trials.sims(one.strategy, one.at),
                    "recommended": one is self.recommended,
                }
            )
        return pd.DataFrame(rows).astype({"clusters": "Int64"})

    def curves(self) -> pd.DataFrame:
        """Return the power by strategy and number of clusters, as far as studies were simulated.

        Returns
        -------
        DataFrame
            strategy, clusters, power, conf_low and conf_high (95 %), false_positive_rate and sims.
        """
        import pandas as pd

        rows = []
        for one in self.ranked:
            for clusters in self.trials.places(one.strategy):
                found = self.trials.power(one.strategy, clusters)
                rate = self.trials.false_positives(one.strategy, clusters).found
                rows.append(
                    {
                        "strategy": one.strategy,
                        "clusters": clusters,
                        "power": found.value,
                        "conf_low": found.low,
                        "conf_high": found.high,
                        "false_positive_rate": rate.value,
                        "sims": self.trials.sims(one.strategy, clusters),
                    }
                )
        return pd.DataFrame(rows)

    def costs(self) -> pd.DataFrame:
        """Return the clusters needed and their cost, by strategy and rows of a cluster.

        Returns
        -------
        DataFrame
            strategy, rows, clusters and cost; empty where no costs were named.
        """
        import pandas as pd

        rows = [
            {"strategy": label, "rows": pair.rows, "clusters": pair.clusters, "cost": pair.cost}
            for label, pairs in self.pairs.items()
            for pair in pairs.values()
        ]
        return pd.DataFrame(rows, columns=["strategy", "rows", "clusters", "cost"])

    def markdown(self) -> str:
        """Return the plan as Markdown."""
        from clustrategy.tables.markdown import markdown_table

        heads, lines = heads_and_lines(self.ranked, self.trials)
        parts = [f"# {self.words.title}", *self.words.answer]
        parts += ["\n".join(markdown_table(heads, lines)), *self.words.notes]
        return "\n\n".join(parts) + "\n"

    def __str__(self) -> str:
        heads, lines = heads_and_lines(self.ranked, self.trials)
        table = tabulate(lines, heads, tablefmt="simple", disable_numparse=True)
        before, behind = (self.words.filled(it) for it in (self.words.answer, self.words.notes))
        return "\n\n".join([*before, table, *behind])


def _rank(answer: Answer) -> tuple[bool, bool, float, float]:
    """Put those with a sample size first, then those that hold, then by clusters and power."""
    needed = answer.needed.value if np.isfinite(answer.needed.value) else np.inf
    return not answer.holds, answer.clusters is None, needed, -answer.power.value

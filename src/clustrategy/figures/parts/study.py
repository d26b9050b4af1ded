"""What a figure is told of its study beside the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clustrategy.core.scenarios import SCENARIO
from clustrategy.evaluation.wording import Wording, wording_of
from clustrategy.figures.parts.style import Look


@dataclass(frozen=True)
class Study:
    """The study that a figure is of.

    Attributes
    ----------
    factors, strategies : sequence of str
        The factors and the labels of the strategies, both in order.
    options : mapping
        The settings of `Look`; ``dgp``: what of the data-generating process is the same in all
        cells; ``alpha``: the level of the tests; ``verdict``: the settings of verdicts;
        ``lollipop``: the measure that the figure of this name shows; ``reference``: the label of
        the strategy that others are compared with, the first unless given.
    """

    factors: Sequence[str]
    strategies: Sequence[str]
    options: Mapping[str, Any]

    @property
    def look(self) -> Look:
        """How the figure is drawn."""
        return Look.from_options(self.options)

    @property
    def dgp(self) -> Mapping[str, Any]:
        """What of the data-generating process is the same in all cells."""
        return self.options.get("dgp", {})

    @property
    def alpha(self) -> float:
        """The level of the tests."""
        return self.options["alpha"]

    @property
    def is_of_a_table(self) -> bool:
        """Whether the study is on the design of a table: each term is a kind of its own."""
        return SCENARIO in self.factors

    @property
    def wording(self) -> Wording:
        """What the parts of the study are called."""
        return wording_of(self.factors, self.options.get("verdict", {}).get("effects", ()))

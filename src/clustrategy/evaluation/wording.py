"""What the parts of a study are called in sentences: a grid has cells, a table has scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clustrategy.core.scenarios import NAMES, SCENARIO
from clustrategy.dgp.kinds import INTERCEPT_KIND
from clustrategy.dgp.oracle import is_by_oracle

CONSTANT = ("cluster-level", "whole clusters")
"""Words of the kinds of predictors that are constant within clusters."""

_NOUNS = ("predictor", "treatment")


@dataclass(frozen=True)
class Wording:
    """The words of a study on a grid.

    Attributes
    ----------
    cell : str
        What a point of the study is called.
    by_oracle : bool
        Whether effects are given by an oracle's power.
    """

    cell: str = "cell"
    by_oracle: bool = False

    @property
    def cells(self) -> str:
        """The plural of `cell`."""
        return f"{self.cell}s"

    @property
    def where(self) -> str:
        """The word before the levels of a cell."""
        return "at"

    def terms(self, kind: str) -> str:
        """Return a kind of terms as it stands in sentences: `predictors within clusters`."""
        if kind == INTERCEPT_KIND:
            return f"the {kind}"
        noun = next((word for word in _NOUNS if word in kind), kind)
        plural = kind.replace(noun, f"{noun}s", 1)
        return f"{plural}," if "," in kind else plural

    def size(self, effect: float) -> str:
        """Say how large an effect is."""
        return f"{100 * effect:g} % oracle power" if self.by_oracle else f"{effect:g}"

    def effect(self, effect: float) -> str:
        """Return an effect in words."""
        return f"an effect of {self.size(effect)}"

    def at(self, worst: str | None) -> str:
        """Say after the words "in its worst cell" which cell that is, if it is known."""
        return f" at {worst}" if worst else ""

    def at_worst(self, worst: str | None) -> str:
        """Say after the words "at worst" where that is: nothing, as names of cells are long."""
        return ","

    @property
    def over(self) -> str:
        """What is said of a mean in brackets: nothing."""
        return ""

    def power(self, mean: Sequence[float], _span: Sequence[float]) -> str:
        """Say in how many percent of datasets an effect is found by some strategies.

        Parameters
        ----------
        mean : sequence of float
            Of each strategy the mean over cells.
        _span : sequence of float
            Of each strategy the lowest and the highest power of a cell.
        """
        return f"{in_percent(mean)} % of datasets, mean over these {self.cells}"

    def explained_once(self, sentences: Sequence[str]) -> list[str]:
        """Leave out what was explained before."""
        return [*sentences]

    def scope(self, kinds: Iterable[str]) -> str:
        """Say what advice is about, and which common predictors it says nothing of."""
        constant = any(word in kind for kind in kinds for word in CONSTANT)
        but = (
            "" if constant else ", and says nothing of predictors that are constant within clusters"
        )
        return f"This holds for data like those of the study{but}."


@dataclass(frozen=True)
class ScenarioWording(Wording):
    """The words of a study on the design of a table, in which each term is a kind of its own."""

    cell: str = SCENARIO

    @property
    def where(self) -> str:
        """The word before the name of a scenario."""
        return "in"

    def terms(self, kind: str) -> str:
        """Return a term as it stands in sentences: its name."""
        return f"the {kind}" if kind == INTERCEPT_KIND else kind

    def at(self, worst: str | None) -> str:
        """Say after the words "in its worst scenario" which one that is, and what it supposes."""
        return f", {supposed(worst)}" if worst else ""

    def at_worst(self, worst: str | None) -> str:
        """Say after the words "at worst" in which scenario that is."""
        return f", in the {self.cell} {supposed(worst)};" if worst else ","

    @property
    def over(self) -> str:
        """What is said of a mean in brackets."""
        return f", mean over these {self.cells}"

    def power(self, _mean: Sequence[float], span: Sequence[float]) -> str:
        """Say in how many percent of datasets an effect is found: a range, as no mean is meant."""
        found = in_percent(span)
        by = "" if found.isdigit() else f", depending on the {self.cell}"
        return f"{found} % of datasets{by}"

    def explained_once(self, sentences: Sequence[str]) -> list[str]:
        """Leave out what scenarios suppose where it was said before."""
        told, short = set(), []
        for sentence in sentences:
            said = sentence
            for name in NAMES:
                head, full, tail = said.partition(supposed(name))
                if full:
                    said = head + (name if name in told else full) + tail.replace(full, name)
                    told.add(name)
            short.append(said)
        return short

    def scope(self, kinds: Iterable[str]) -> str:
        """Say what advice is about, and what voids it."""
        return (
            "This holds for this table's predictors, clusters and sizes, under these scenarios; "
            "a choice made after a look at the estimates voids it."
        )


def wording_of(factors: Sequence[str], effects: object = ()) -> Wording:
    """Return the words of the study that has these factors, and effects as a config names them."""
    if list(factors) == [SCENARIO]:
        return ScenarioWording()
    return Wording(by_oracle=is_by_oracle(effects))


def supposed(cell: str) -> str:
    """Return the name of a scenario, which tables have with its factor, and what it supposes.

    Examples
    --------
    >>> supposed("scenario variance_by_arm")
    "variance_by_arm: a residual variance of each arm's own"
    """
    name = cell.removeprefix(f"{SCENARIO} ")
    return f"{name}: {NAMES[name]}"


def in_percent(shares: Sequence[float]) -> str:
    """Return the least and the largest of some shares in whole percent."""
    low, high = round(100 * min(shares)), round(100 * max(shares))
    return f"{low}" if low == high else f"{low} to {high}"

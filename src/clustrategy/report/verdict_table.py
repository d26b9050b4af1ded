"""The table that answers: strategies and the promises that they keep, or do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clustrategy.evaluation.cell_verdicts import (
    ADJUSTED,
    COVERAGE,
    POWER,
    SE_ERROR,
    SINGULAR,
    UNUSABLE,
)
from clustrategy.evaluation.recommendation import Answer, Standing, is_liberal
from clustrategy.evaluation.regions import MOST_UNUSABLE, SLIGHTLY_LIBERAL
from clustrategy.figures.parts.labels import level_label
from clustrategy.report.numbers import ABSENT, is_number, percent, points, signed_percent, span

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Value:
    """A number of a table: its text, its Monte Carlo standard error, and what is to be said of it.

    Attributes
    ----------
    text, mcse : str
        The error is in brackets, and empty where there is none.
    note : str
        Why there is no number, empty where there is one.
    where : str
        The cell that it is from.
    mean : str
        That over the cells.
    """

    text: str = ABSENT
    mcse: str = ""
    note: str = ""
    where: str = ""
    mean: str = ABSENT

    @classmethod
    def of(cls, row: Row | None, text: Callable[[float | None], str] = percent) -> Value:
        """Take the value of a row of verdicts; without one it has a note."""
        if row is None or not is_number(row["value"]):
            return cls(note=(row and row["note"]) or "no value")
        return cls(
            text(row["value"]),
            points(row["mcse"]),
            where=row["worst_cell"] or "",
            mean=text(row["mean_over_these_cells"]),
        )


@dataclass(frozen=True)
class Line:
    """A strategy in a verdict table.

    Attributes
    ----------
    strategy : str
        The label.
    verdict : str
        As `in_a_word` gives it.
    rate, relative_error, coverage, power, size_adjusted, singular, unusable : Value
        Those of the worst cell.
    range : str
        The false-positive rates over cells.
    cells : list of str
        How many are safe, liberal and undecided.
    """

    strategy: str
    verdict: str
    rate: Value
    range: str
    cells: list[str]
    relative_error: Value
    coverage: Value
    power: Value
    size_adjusted: Value
    singular: Value
    unusable: Value

    @classmethod
    def of(cls, standing: Standing) -> Line:
        """Write down how a strategy stands."""
        rows, rate = standing.rows, standing.rate
        counts = [rate[f"{name}_cells"] for name in ("safe", "liberal", "undecided")]
        return cls(
            strategy=standing.strategy,
            verdict=in_a_word(rate, rows.get(UNUSABLE)),
            rate=Value.of(rate),
            range=span(rate["lowest"], rate["highest"]),
            cells=[ABSENT if count is None else f"{count:,}" for count in counts],
            relative_error=Value.of(rows.get(SE_ERROR), signed_percent),
            coverage=Value.of(rows.get(COVERAGE)),
            power=Value.of(rows.get(POWER)),
            size_adjusted=Value.of(rows.get(ADJUSTED)),
            singular=Value.of(rows.get(SINGULAR)),
            unusable=Value.of(rows.get(UNUSABLE)),
        )


@dataclass(frozen=True)
class Levels:
    """The false-positive rates of a kind of terms by the levels of one factor.

    Attributes
    ----------
    factor : str
    levels : list of str
    lines : list of (str, list of (Value, str))
        A strategy's label and, for each level, the worst rate and the verdict in a word.
    """

    factor: str
    levels: list[str]
    lines: list[tuple[str, list[tuple[Value, str]]]]


@dataclass(frozen=True)
class KindTable:
    """The verdicts on one kind of terms.

    Attributes
    ----------
    kind, title, terms : str
        The kind in words, these as a title, and the terms that were pooled.
    effect : float
        That at which power is compared.
    cells : int
        The cells that the rows are over.
    lines : list of Line
        Safe strategies first, then by the worst false-positive rate.
    without : list of str
        The labels of strategies that do not estimate these terms.
    by : list of Levels
        The rates by the levels of some factors.
    """

    kind: str
    title: str
    terms: str
    effect: float
    cells: int
    lines: list[Line]
    without: list[str]
    by: list[Levels]


def in_a_word(rate: Row | None, unusable: Row | None = None) -> str:
    """Say in a word or three how a strategy stands.

    Parameters
    ----------
    rate, unusable : mapping, optional
        The rows of verdicts on its false-positive rate and on its share of unusable fits.

    Returns
    -------
    str
        `safe` where it is in each cell, `liberal` where it is in some, `slightly liberal` where it
        is in the worst one, `too many unusable` where that alone is in the way, `no value`, or
        `undecided`.
    """
    if rate is None or not is_number(rate["value"]):
        return "no value"
    if rate["safe"]:
        return "safe"
    if is_liberal(rate):
        return "liberal"
    if rate["verdict"] == SLIGHTLY_LIBERAL:
        return "slightly liberal"
    share = 0.0 if unusable is None else unusable["value"] or 0.0
    return "too many unusable" if share > MOST_UNUSABLE else "undecided"


def kind_table(
    answer: Answer, rates: Sequence[Row], strategies: Sequence[str], by: Sequence[str]
) -> KindTable:
    """Return the table of one kind of terms.

    Parameters
    ----------
    answer : Answer
        How the strategies stand.
    rates : sequence of mapping
        The rows of verdicts on false-positive rates, of all kinds.
    strategies : sequence of str
        The labels of the study.
    by : sequence of str
        The factors by whose levels the rates are shown, too.
    """
    kind = answer.kind
    lines = [Line.of(standing) for standing in answer.standings]
    order = [line.strategy for line in lines]
    mine = [row for row in rates if row["kind"] == kind]
    levels = [_by(factor, mine, order) for factor in by]
    return KindTable(
        kind=kind,
        title=kind if kind == answer.terms else kind[:1].upper() + kind[1:],
        terms=answer.terms,
        effect=answer.effect,
        cells=max((standing.rate["cells"] or 1 for standing in answer.standings), default=1),
        lines=lines,
        without=[label for label in strategies if label not in order],
        by=[one for one in levels if len(one.levels) > 1],
    )


def _by(factor: str, rates: Sequence[Row], order: Sequence[str]) -> Levels:
    """Return the worst rates by the levels of a factor."""
    found = {(row["strategy"], row[factor]): row for row in rates if row["scope"] == factor}
    levels = list(dict.fromkeys(level for _, level in found))
    lines = [
        (label, [(Value.of(row := found.get((label, one))), in_a_word(row)) for one in levels])
        for label in order
    ]
    return Levels(factor, [level_label(factor, level) for level in levels], lines)

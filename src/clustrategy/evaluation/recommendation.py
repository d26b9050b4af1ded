"""From verdicts to what a reader should do: a few sentences, and a table for each kind of terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from clustrategy.core.counted import counted
from clustrategy.dgp.kinds import INTERCEPT_KIND
from clustrategy.evaluation.cell_verdicts import (
    ADJUSTED,
    ALL,
    FALSE_POSITIVES,
    POWER,
    SE_ERROR,
    SINGULAR,
    TO_THE_BEST,
    UNUSABLE,
    compared_effect,
)
from clustrategy.evaluation.promises import NOT_ESTIMATED
from clustrategy.evaluation.regions import LIBERAL, MOST_UNUSABLE
from clustrategy.evaluation.wording import Wording, in_percent

INDIFFERENCE = 0.02
"""Less power than the best by so much is of no account."""

BLUNT = 0.05
"""A test that finds an effect in no larger share of datasets, wherever it is, is of no use."""

LONGEST = 40
"""A strategy's label is cut to so many characters in sentences and in the terminal."""

FEW = 12
"""So many names are listed; of more, the rest is counted."""

Row = Mapping[str, Any]


def is_liberal(rate: Row) -> bool:
    """Tell whether the row of a false-positive rate over cells is that of a liberal strategy.

    It is by its worst cell, or by any cell, corrected for their number.
    """
    return rate["verdict"] == LIBERAL or bool(rate["liberal_cells"])


@dataclass(frozen=True)
class Standing:
    """How one strategy stands for one kind of terms: rows of the verdict table, by measure.

    Attributes
    ----------
    strategy : str
    rows : dict of str to Mapping
        Over all cells: of each measure its row (of power that at the effect asked for).
    """

    strategy: str
    rows: Mapping[str, Row]

    @property
    def rate(self) -> Row:
        """The row of the false-positive rate."""
        return self.rows[FALSE_POSITIVES]

    @property
    def is_tested(self) -> bool:
        """Whether there is a false-positive rate in some cell."""
        return self.rate["value"] is not None

    @property
    def is_safe(self) -> bool:
        """Whether the strategy is safe in each cell."""
        return bool(self.rate["safe"])

    @property
    def is_liberal(self) -> bool:
        """Whether the strategy is liberal in some cell, corrected for their number."""
        return is_liberal(self.rate)

    @property
    def power(self) -> float | None:
        """The size-adjusted power at the effect asked for, mean over these cells."""
        row = self.rows[ADJUSTED]
        mean = row["value"] if row["cells"] == 1 else row["mean_over_these_cells"]
        return None if mean is None else float(mean)

    @property
    def fails_often(self) -> bool:
        """Whether too many fits are unusable in some cell for the strategy to be safe."""
        return bool(self.rows[UNUSABLE]["value"] > MOST_UNUSABLE)

    @property
    def is_blunt(self) -> bool:
        """Whether the strategy is safe, but hardly ever rejects anything.

        So it is with some tests where there are two or three clusters.
        """
        power = self.rows.get(POWER)
        if power is None or not self.is_safe:
            return False
        most = power["value"] if power["cells"] == 1 else power["highest"]
        return most is not None and bool(most <= BLUNT)

    @property
    def is_open(self) -> bool:
        """Whether more sims may show that the strategy is safe, or that it is liberal."""
        return self.is_tested and not (self.is_safe or self.is_liberal or self.fails_often)

    @property
    def is_recommended(self) -> bool:
        """Whether the strategy is safe and may have as much power as the best of those that are.

        It is left out if another one is known to have more by more than `INDIFFERENCE`, or if it
        finds nothing.
        """
        best = self.rows.get(TO_THE_BEST)
        may_be_best = best is None or best["conf_high"] >= -INDIFFERENCE
        return self.is_safe and may_be_best and not self.is_blunt

    @property
    def _order(self) -> tuple[bool, bool, bool, float]:
        merit = self.rate["value"] if self.is_liberal else -(self.power or 0.0)
        return not self.is_safe, self.is_liberal, not self.is_tested, merit or 0.0


@dataclass(frozen=True)
class Answer:
    """What to do about one kind of terms.

    Attributes
    ----------
    kind, terms : str
        The kind, and the terms that are taken together.
    standings : list of Standing
        The strategies that estimate these terms: the safe ones first, the liberal ones last by
        their worst rate, the others by power.
    sentences : list of str
        What to use and what not.
    effect : float
        That at which power is compared.
    """

    kind: str
    terms: str
    standings: list[Standing]
    sentences: list[str]
    effect: float

    @property
    def shown(self) -> list[Standing]:
        """The strategies that are recommended, the best first; where none is, those undecided."""
        recommended = [one for one in self.standings if one.is_tested and one.is_recommended]
        return recommended or [one for one in self.standings if one.is_open]


@dataclass(frozen=True)
class Advice:
    """What a study says that a reader should do.

    Attributes
    ----------
    answers : list of Answer
        For each kind of terms but the intercept.
    reservation : str
        What the sims do not decide, and how many would; empty where they decide all.
    scope : str
        What the advice is about.
    """

    answers: list[Answer]
    reservation: str
    scope: str

    @property
    def paragraphs(self) -> list[str]:
        """The whole advice in words."""
        said = [" ".join(answer.sentences) for answer in self.answers]
        return [*said, " ".join(filter(None, [self.reservation, self.scope]))]


def advice(
    verdicts: pa.Table,
    effect: float | Mapping[str, float],
    *,
    sims: int,
    certify: str = "",
    level: Row | None = None,
    wording: Wording | None = None,
) -> Advice:
    """Say which strategies to use, for each kind of terms but the intercept.

    Parameters
    ----------
    verdicts : Table
        The verdicts of a study.
    effect : float, or mapping of str to float
        That at which power is compared; on a given design that of each term.
    sims : int
        Of each cell.
    certify : str
        What would decide, such as "with `sims: 10000` it would be shown".
    level : Mapping, optional
        Factors, as `verdict.by` has them, and a level of each: the advice for the cells that have
        these.
    wording : Wording, optional
        What the parts of the study are called; those of a grid unless given.
    """
    wording = wording or Wording()
    rows = [row for row in verdicts.to_pylist() if _is_of(row, level)]
    fits = [row for row in rows if row["kind"] is None]
    kinds = dict.fromkeys(row["kind"] for row in rows if row["kind"] is not None)
    found: list[Answer] = []
    for kind in kinds:
        at = compared_effect(effect, kind)
        mine = [row for row in rows if row["kind"] == kind and _is_at(row, at)]
        standings = []
        for strategy in dict.fromkeys(row["strategy"] for row in mine):
            own = {r["measure"]: r for r in (*mine, *fits) if r["strategy"] == strategy}
            if own[FALSE_POSITIVES]["note"] != NOT_ESTIMATED:
                standings.append(Standing(strategy, own))
        standings.sort(key=lambda each: each._order)
        if kind != INTERCEPT_KIND or len(kinds) == 1:
            sentences = _sentences(standings, kind, at, wording)
            before = [said for answer in found for said in answer.sentences]
            sentences = wording.explained_once([*before, *sentences])[len(before) :]
            found.append(Answer(kind, mine[0]["terms"], standings, sentences, at))
    return Advice(found, _reservation(found, sims, certify, wording), wording.scope(kinds))


def _reservation(found: Sequence[Answer], sims: int, certify: str, wording: Wording) -> str:
    standings = [each for answer in found for each in answer.standings]
    if not any(each.is_open for each in standings):
        return ""
    later = f"; {certify}" if certify else ""
    a_cell = f"{counted(sims, 'sim')} a {wording.cell}"
    if any(each.is_safe for each in standings):
        return f"{a_cell} {'leaves' if sims == 1 else 'leave'} some strategies undecided{later}."
    cells = max(each.rate["cells"] for each in standings)
    where = "" if cells == 1 else f" in all {cells:,} {wording.cells}"
    few = "is too little" if sims == 1 else "are too few"
    return f"{a_cell} {few} to show any strategy to be safe{where}{later}."


def more_sims(sims: int, enough: int, took: str = "") -> str:
    """Say how many sims would certify what keeps its level; nothing where there are enough.

    Parameters
    ----------
    sims, enough : int
        Of each cell: those there are, and as many as it takes.
    took : str
        How long that would take.
    """
    if enough <= sims:
        return ""
    time = f" ({took})" if took else ""
    return f"with `sims: {enough}`{time} those that keep their level would be"


def _is_at(row: Row, effect: float) -> bool:
    """Tell whether a row is of the effect asked for, or of none."""
    return row["measure"] not in (POWER, ADJUSTED) or row["effect"] == effect


def _is_of(row: Row, level: Row | None) -> bool:
    """Tell whether a row is of the scope asked for."""
    if level is None:
        return bool(row["scope"] == ALL)
    return row["scope"] == ", ".join(level) and all(row[f] == level[f] for f in level)


def _sentences(
    standings: Sequence[Standing], kind: str, effect: float, wording: Wording
) -> list[str]:
    """Say what to use and what not for one kind of terms."""
    terms, cell = f"For {wording.terms(kind)}", wording.cell
    tested = [each for each in standings if each.is_tested]
    if not tested:
        return [f"{terms} nothing can be said: no strategy has a usable test."]
    if max(each.rate["n"] for each in tested) < 2:
        return [f"{terms} nothing can be said: one dataset a {cell} tells no rate."]
    liberal = [each for each in tested if each.is_liberal]
    failing = [each for each in tested if each.fails_often and not each.is_liberal]
    unknown = [each for each in tested if each.is_open]
    recommended = [each for each in tested if each.is_recommended]
    blunt = [each for each in tested if each.is_blunt]
    cells = max(each.rate["cells"] for each in tested)
    said = []
    if recommended:
        where = f"in the one {cell}" if cells == 1 else f"in all {cells:,} {wording.cells}"
        finding = _power(recommended, effect, wording)
        said.append(f"{terms} use {_either(recommended)}: safe {where}{finding}.")
        others = [each for each in tested if each.is_safe and not each.is_recommended]
        if others := [each for each in others if not each.is_blunt]:
            has = "has" if len(others) == 1 else "have"
            said.append(f"{_names(others)} {_are(others)} safe, too, but {has} less power.")
        if unknown:
            so_far = "so far" if cells == 1 else f"in each {cell} so far"
            names = _names(unknown)
            said.append(f"{names} {_are(unknown)} undecided: not shown to be safe {so_far}.")
            said += _would_find_more(recommended, unknown)
    elif unknown:
        where = "here" if cells == 1 else f"in any {cell}"
        named = _listed(_with_power(unknown, effect, wording), "and")
        said.append(f"{terms} nothing speaks against {named}: not found liberal {where}.")
    elif liberal and not blunt:
        least = min(liberal, key=lambda each: each.rate["value"])
        worst = wording.at(least.rate["worst_cell"])
        where = "" if cells == 1 else f" in its worst {cell}{worst}"
        said.append(
            f"{terms} no strategy is safe; the least liberal is {_name(least)}, with "
            f"{percent(least.rate)} false positives{where}."
        )
    elif not blunt:
        said.append(f"{terms} no strategy is safe.")
    if blunt:
        which = "" if said else f"{terms} no strategy that is safe finds anything: "
        does, they = ("does", "it") if len(blunt) == 1 else ("do", "they")
        said.append(
            f"{which}{_names(blunt)} {does} not reject what is not there, but nothing else either: "
            f"{they} would find {wording.effect(effect)} in {_most(blunt)} % of datasets."
        )
    if failing:
        most = max(each.rows[UNUSABLE]["value"] for each in failing)
        said.append(
            f"{_names(failing)} {_are(failing)} not safe: without a usable fit in up to "
            f"{100 * most:.0f} % of datasets."
        )
    if liberal:
        said.append(f"Do not use {_liberal(liberal, wording)}.")
    return said


def _would_find_more(recommended: Sequence[Standing], unknown: Sequence[Standing]) -> list[str]:
    """Say which undecided strategies have more power than those that are recommended."""
    best = max((each.power or 0.0 for each in recommended), default=0.0)
    more = [each for each in unknown if (each.power or 0.0) > best + INDIFFERENCE]
    if not more:
        return []
    powers = in_percent([each.power for each in more if each.power is not None])
    return [
        f"More sims would tell whether to use {_either(more)}, which would find it in {powers} % "
        f"(in the mean, the best above in {in_percent([best])} %)."
    ]


def _most(blunt: Sequence[Standing]) -> str:
    """Return in percent how often tests find an effect at most, wherever it is."""
    rows = [each.rows[POWER] for each in blunt]
    most = max(row["value"] if row["cells"] == 1 else row["highest"] for row in rows)
    return f"at most {100 * most:.0f}" if most >= 0.005 else "0"


def _power(recommended: Sequence[Standing], effect: float, wording: Wording) -> str:
    known = [each for each in recommended if each.power is not None]
    if not known:
        return ""
    powers = [each.power for each in known if each.power is not None]
    if recommended[0].rate["cells"] == 1:
        found = f"{in_percent(powers)} % of datasets"
    else:
        rows = [each.rows[ADJUSTED] for each in known]
        found = wording.power(powers, [row[end] for row in rows for end in ("lowest", "highest")])
    return f", finding {wording.effect(effect)} in {found}"


def _with_power(standings: Sequence[Standing], effect: float, wording: Wording) -> list[str]:
    """Name strategies, each with how often it finds the effect; the first says what that is."""
    words: list[str] = []
    over = wording.over if standings[0].rate["cells"] > 1 else ""
    says = f"finds {wording.effect(effect)} in {{}} % of datasets{over}"
    for each in standings[:FEW]:
        name = _name(each)
        if each.power is not None:
            name += f" ({says.format(round(100 * each.power))})"
            says = "{} %"
        words.append(name)
    return [*words, f"{len(standings) - FEW} more"] if len(standings) > FEW else words


def _liberal(liberal: Sequence[Standing], wording: Wording) -> str:
    """Name liberal strategies, the worst first, with how much and in how many cells they are."""
    shown = sorted(liberal, key=lambda each: -each.rate["value"])
    first, words = shown[0].rate, []
    for each in shown[:FEW]:
        rate, cells = f"{100 * each.rate['value']:.0f} %", max(each.rate["liberal_cells"], 1)
        if first["cells"] == 1:
            words.append(f"{_name(each)} ({rate} false positives)")
        elif not words:
            words.append(
                f"{_name(each)} ({rate} false positives at worst"
                f"{wording.at_worst(first['worst_cell'])} liberal in {cells:,} of "
                f"{first['cells']:,} {wording.cells})"
            )
        else:
            words.append(f"{_name(each)} ({rate}, {counted(cells, wording.cell)})")
    if len(shown) > FEW:
        words.append(f"{len(shown) - FEW} more")
    return _listed(words, "or")


def percent(row: Row) -> str:
    """Return a rate in per cent, with its Monte Carlo error."""
    error = "" if row["mcse"] is None else f" ({100 * row['mcse']:.1f})"
    return f"{100 * row['value']:.1f} %{error}"


def short(label: str) -> str:
    """Return a label on one line, cut if it is longer than `LONGEST`."""
    label = " ".join(label.split())
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…"


def _name(standing: Standing) -> str:
    """Return a label as it stands in sentences: not too long, and in quotes if it has commas."""
    label = short(standing.strategy)
    return f"“{label}”" if "," in label else label


def _names(standings: Sequence[Standing]) -> str:
    words = [_name(each) for each in standings[:FEW]]
    if len(standings) > FEW:
        words.append(f"{len(standings) - FEW} more")
    return _listed(words, "and")


def _either(standings: Sequence[Standing]) -> str:
    return _listed([_name(each) for each in standings], "or")


def _are(standings: Sequence[Standing]) -> str:
    return "is" if len(standings) == 1 else "are"


def _listed(words: Sequence[str], last: str) -> str:
    """Join words as a sentence does."""
    if len(words) < 2:
        return "".join(words)
    comma = "," if len(words) > 2 else ""
    return f"{', '.join(words[:-1])}{comma} {last} {words[-1]}"


COLUMNS = (
    "strategy",
    "false positives",
    "highest, drawn again",
    "safe / liberal / undecided",
    "SE error",
    "power",
    "singular",
    "unusable",
)
"""The heads of the table of one kind of terms."""


def table(answer: Answer) -> list[list[str]]:
    """Return the table of a kind of terms: a line for each strategy, as `COLUMNS`.

    The range of the false-positive rate over cells; its worst cell, drawn again, with the Monte
    Carlo standard error; in how many cells the strategy is safe, liberal, or neither so far; the
    range of the relative error of the model SE; the size-adjusted power, mean over these cells; the
    shares of singular and unusable fits, likewise.
    """
    return [
        [
            each.strategy,
            _range(each.rate),
            _worst(each),
            _counts(each.rate),
            _range(each.rows[SE_ERROR], signed=True),
            _mean(each.rows[ADJUSTED]),
            *_fits(each),
        ]
        for each in answer.standings
    ]


FEW_KINDS = 4
"""Of more kinds of terms a table of all of them has room for the rates alone."""


def table_of_kinds(found: Sequence[Answer]) -> tuple[list[str], list[list[str]]]:
    """Return heads and lines of one table of all kinds: a line for each strategy.

    Of each kind of terms the worst cell, with its Monte Carlo standard error, and of at most
    `FEW_KINDS` in how many cells the strategy is safe, liberal, or neither so far.
    """
    by_kind = [{each.strategy: each for each in answer.standings} for answer in found]
    rates = {
        strategy: [mine[strategy].rate for mine in by_kind if strategy in mine]
        for mine in by_kind
        for strategy in mine
    }
    ordered = sorted(
        rates,
        key=lambda strategy: (
            not all(rate["safe"] for rate in rates[strategy]),
            max(rate["value"] or 0.0 for rate in rates[strategy]),
        ),
    )
    few = len(found) <= FEW_KINDS
    lines = []
    for strategy in ordered:
        mine = [each.get(strategy) for each in by_kind]
        cells = [
            f"{_worst(each)}{f'  {_counts(each.rate)}' if few else ''}" if each else "not estimated"
            for each in mine
        ]
        lines.append([strategy, *cells, *_fits(next(each for each in mine if each))])
    return ["strategy", *(answer.kind for answer in found), *COLUMNS[-2:]], lines


def _worst(standing: Standing) -> str:
    return percent(standing.rate) if standing.is_tested else str(standing.rate["note"])


def _counts(rate: Row) -> str:
    return " / ".join(f"{rate[f'{name}_cells']:,}" for name in ("safe", "liberal", "undecided"))


def _fits(standing: Standing) -> list[str]:
    return [_mean(standing.rows[name]) for name in (SINGULAR, UNUSABLE)]


def _range(row: Row, *, signed: bool = False) -> str:
    """Write the lowest and the highest of some cells, or the one value there is."""
    low, high = (row[name] if row["cells"] > 1 else row["value"] for name in ("lowest", "highest"))
    if low is None:
        return "–"
    sign = "+" if signed else ""
    digits = 0 if signed else 1
    ends = [f"{round(100 * end, digits) + 0.0:{sign}.{digits}f}" for end in (low, high)]
    return f"{' to '.join(dict.fromkeys(ends))} %"


def _mean(row: Row) -> str:
    mean = row["value"] if row["cells"] == 1 else row["mean_over_these_cells"]
    if mean is None:
        return "–"
    return f"{100 * mean:.{1 if mean < 0.0995 else 0}f} %"

"""What the page of a study on a table of one's own has that no other page has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from clustrategy.core.counted import counted, listed
from clustrategy.core.scenarios import NAMES, SCENARIO
from clustrategy.core.shard import INTERCEPT
from clustrategy.core.words import decimals, degrees, fixed, number, p_value
from clustrategy.evaluation.cell_verdicts import UNUSABLE
from clustrategy.evaluation.choice_in_words import choice_sentences
from clustrategy.evaluation.detectable import over_all_cells
from clustrategy.evaluation.recommendation import Answer, Standing
from clustrategy.owndata.placebo_words import LEVEL, finding
from clustrategy.owndata.summary import Table
from clustrategy.report.design_tables import (
    INFLUENCE,
    LEVERAGE,
    SLOPES,
    VARIES,
    Columns,
    design_tables,
)
from clustrategy.report.numbers import ABSENT
from clustrategy.report.verdict_table import Value, in_a_word
from clustrategy.study.study import Study

DESIGN = {"Where each predictor varies": VARIES, "The cluster with most to say": LEVERAGE}
"""Tables that do not depend on the response."""

LAST = {
    "What single clusters change": INFLUENCE,
    "Slopes within clusters and between their means": SLOPES,
}
"""Tables that are estimates, too."""

SLOPES_VARY = "slopes_vary"

MOST_OPEN = 3
"""Undecided strategies of a term that the answer shows where none is recommended."""


@dataclass(frozen=True)
class OwnTable:
    """What a study has found on a table beside its verdicts; a part that is missing is None.

    Attributes
    ----------
    detectable, placebo, choice : Table, optional
        As `detectable.parquet`, `placebo.parquet` and `calibrated_choice.parquet` hold them.
    estimates, design : Table, optional
        As `own_estimates.parquet` and `own_design.parquet` hold them.
    rows : str
        The rows and clusters of the table, in a sentence.
    reservations : sequence of str
        What the simulation takes for granted, and the table may not grant.
    """

    detectable: pa.Table | None = None
    placebo: pa.Table | None = None
    choice: pa.Table | None = None
    estimates: pa.Table | None = None
    design: pa.Table | None = None
    rows: str = ""
    reservations: Sequence[str] = ()


@dataclass(frozen=True)
class Use:
    """A strategy to use for a term, or one that is undecided.

    Attributes
    ----------
    term : str
    strategy, verdict : str
        The label, and how it stands in a word; empty where all are known not to be safe.
    rate : Value
        The false-positive rate in its worst scenario.
    effect, interval, standardised : str
        The effect that is found in 80 % of studies where it is hardest to find (of what is not
        shown to be safe at the critical value that gives it its level), its Monte Carlo interval,
        and in standard deviations, with the words for which.
    note : str
        Why there is no effect.
    """

    term: str
    strategy: str = ""
    verdict: str = ""
    rate: Value = Value()
    effect: str = ABSENT
    interval: str = ""
    standardised: str = ""
    note: str = ""


def uses(answers: Sequence[Answer], detectable: pa.Table | None) -> list[Use]:
    """List for each term the strategies that are recommended, the most powerful first.

    Where none is, the first `MOST_OPEN` that are undecided stand in their place.

    Parameters
    ----------
    answers : sequence of Answer
        The advice of a study.
    detectable : Table, optional
        The effects that are found in 80 % of studies.
    """
    least = {} if detectable is None else over_all_cells(detectable)
    found = []
    for answer in answers:
        shown = answer.shown
        if shown and not shown[0].is_recommended:
            shown = shown[:MOST_OPEN]
        found += [_use(answer.kind, one, least) for one in shown] or [Use(answer.kind)]
    return found


def _use(
    term: str, standing: Standing, least: Mapping[tuple[str, str, bool], Mapping[str, Any]]
) -> Use:
    verdict = in_a_word(standing.rate, standing.rows.get(UNUSABLE))
    known = (term, standing.strategy, verdict, Value.of(standing.rate))
    row = least.get((standing.strategy, term, not standing.is_safe))
    if row is None or row["effect"] is None:
        return Use(*known, note="" if row is None else row["note"] or "")
    interval = ""
    if row["conf_low"] is not None and row["conf_high"] is not None:
        interval = f"({number(row['conf_low'])} to {number(row['conf_high'])})"
    standardised = ""
    if row["standardised"] is not None:
        standardised = f"{number(row['standardised'], 2)} {row['standardised_by']}"
    return Use(*known, number(row["effect"]), interval, standardised)


def on_slopes(study: Study) -> str:
    """Say why slopes vary in one scenario where the working model has none that do.

    Empty where the working model has varying slopes, or none can vary.

    Parameters
    ----------
    study : Study
        On a table.
    """
    assert study.given is not None
    processes = study.given.processes
    if SLOPES_VARY not in processes:
        return ""
    estimated, varying = processes["estimated"], processes[SLOPES_VARY]
    sds = dict(zip(estimated.random, np.diagonal(estimated.covariance).tolist(), strict=True))
    flat = [term for term in varying.random if term != INTERCEPT and not sds.get(term)]
    if not flat:
        return ""
    slopes = f"{'slope' if len(flat) == 1 else 'slopes'} of {listed(flat)}"
    does = "does" if len(flat) == 1 else "do"
    said = (
        f"By the estimate the {slopes} {does} not vary between clusters. With few clusters that "
        "is often the estimate where slopes do vary, and then tests that suppose they do not are "
        f"liberal. So the scenario {SLOPES_VARY} is always there: {NAMES[SLOPES_VARY]}."
    )
    if SLOPES_VARY not in study.levels[SCENARIO]:
        said = said.partition(" So the scenario")[0]
        said += f" This config leaves the scenario {SLOPES_VARY} out: what is safe here may not be."
    return said


def on_choosing(choice: pa.Table | None) -> list[str]:
    """Say what becomes of the level where the same data choose the strategy that tests them."""
    return [] if choice is None else choice_sentences(choice)


@dataclass(frozen=True)
class Placebo:
    """What the placebo check found.

    Attributes
    ----------
    finding : str
        In a sentence or two.
    rows : list of str
        Of each term and strategy.
    """

    finding: str
    rows: list[str]


def placebo_words(placebo: pa.Table | None) -> Placebo | None:
    """Return what the placebo check found in words."""
    if placebo is None:
        return None
    rows = placebo.to_pylist()
    rated = [row for row in rows if row["rate"] is not None]
    said = f"{finding(rated)}."
    if any(row["p_value_all"] <= LEVEL for row in rated):
        said += (
            " So the rates of this page may be off, too: they are of responses that the working "
            "model, or a variation of it, has made."
        )
    elif rated:
        said += " That is one response: it supports the working model and does not prove it."
    return Placebo(said, [row["sentence"] for row in rows])


def tables_of(design: pa.Table | None, tables: Mapping[str, Columns]) -> list[Table]:
    """Return tables of a design, such as `DESIGN` or `LAST`; none where it is not there."""
    import pandas as pd

    # Jobs hide pandas from pyarrow.
    return [] if design is None else design_tables(pd.DataFrame(design.to_pydict()), tables)


def estimate_tables(estimates: pa.Table | None, answers: Sequence[Answer]) -> list[Table]:
    """Return the estimates on the table itself: of each term a table, recommended ones marked.

    Parameters
    ----------
    estimates : Table, optional
        A row per strategy and term, as `own_estimates.parquet` holds it.
    answers : sequence of Answer
        The advice, whose terms and order of strategies the tables have; the rest follows.
    """
    if estimates is None:
        return []
    rows = estimates.to_pylist()
    by_term = {row["term"]: [one for one in rows if one["term"] == row["term"]] for row in rows}
    known = {answer.kind: answer for answer in answers}
    order = [*(term for term in known if term in by_term), *by_term]
    return [_of_term(term, by_term[term], known.get(term)) for term in dict.fromkeys(order)]


def _of_term(term: str, rows: Sequence[Mapping[str, Any]], answer: Answer | None) -> Table:
    standings = [] if answer is None else answer.standings
    places = {one.strategy: place for place, one in enumerate(standings)}
    ordered = sorted(rows, key=lambda row: places.get(row["strategy"], len(places)))
    there = [row for row in ordered if row["estimate"] is not None]
    absent = [
        f"{row['strategy']} ({row['message'] or 'not estimated'})"
        for row in ordered
        if row["estimate"] is None
    ]
    digits = decimals([_real(row["std_error"]) for row in there])
    marked = {one.strategy for one in standings if one.is_tested and one.is_recommended}
    body = [
        [
            row["strategy"],
            "recommended" if row["strategy"] in marked else "",
            fixed(_real(row["estimate"]), digits),
            fixed(_real(row["std_error"]), digits),
            df,
            p_value(_real(row["p_value"])),
            _interval(row, digits),
        ]
        for row, df in zip(there, degrees([_real(row["df"]) for row in there]), strict=True)
    ]
    head = ["strategy", "advice", "estimate", "standard error", "df", "p-value", "95 % interval"]
    note = f"No numbers: {'; '.join(absent)}." if absent else ""
    return Table(term, head, body, note)


def _interval(row: Mapping[str, Any], digits: int) -> str:
    ends = [row["conf_low"], row["conf_high"]]
    return "" if None in ends else " to ".join(fixed(end, digits) for end in ends)


def _real(value: float | None) -> float:
    return float("nan") if value is None else value


def title(study: Study) -> str:
    """Return the question of a study on a table."""
    data = study.config["data"]
    by = f" by {data['cluster']}" if data["cluster"] else ""
    return f"{data['formula']}{by}: which analysis can be trusted?"


def about(study: Study) -> str:
    """Say in two sentences what was done."""
    strategies, cells = len(study.strategies), len(study.cells)
    who = "One strategy" if strategies == 1 else f"{strategies} strategies, each"
    outcomes = f"{counted(study.sims, 'simulated outcome')} of one {SCENARIO}"
    if cells > 1:
        outcomes = f"{cells * study.sims:,} simulated outcomes, {study.sims:,} of each {SCENARIO}"
    return (
        f"{who} applied to the same {outcomes}. Predictors, clusters and sizes are those of the "
        "table, and every coefficient is 0."
    )

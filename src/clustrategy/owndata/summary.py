"""An analysis to read: what to do, what to mind, and every term by every strategy."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from tabulate import tabulate

from clustrategy.core.counted import counted, listed
from clustrategy.core.shard import INTERCEPT
from clustrategy.core.words import decimals, degrees, fixed, number, p_value
from clustrategy.design.from_table import Design
from clustrategy.design.icc import icc
from clustrategy.design.sizes import sizes
from clustrategy.engines.chosen import Strategy
from clustrategy.owndata.cautions import Caution
from clustrategy.owndata.findings import finding
from clustrategy.owndata.reliance import FEWEST_DF, Reliance
from clustrategy.tables.markdown import markdown_table

if TYPE_CHECKING:
    import pandas as pd

TEMPLATES = Path(__file__).parent / "templates"

WIDTH = 88
"""Of lines of text."""

MOST_TERMS = 12
"""Terms that have a sentence of their own."""

FEWEST_STUDIED = 10
"""Clusters of the smallest cells of the inference study."""

USABLE = ("ok", "singular")


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes
    ----------
    title : str
    head : list of str
    body : list of list of str
    note : str
        What is to be known of it.
    """

    title: str
    head: list[str]
    body: list[list[str]]
    note: str = ""


@dataclass(frozen=True)
class Summary:
    """An analysis to read.

    Attributes
    ----------
    title : str
        The formula and the clusters.
    advice : str
        What to do.
    findings : list of str
        A sentence for each term.
    cautions : list of str
        What to mind.
    tables : list of Table
        A table for each term, and the joint tests.
    design : str
        The rows and clusters.
    """

    title: str
    advice: str
    findings: list[str]
    cautions: list[str]
    tables: list[Table]
    design: str

    def text(self) -> str:
        """Return it as text of a terminal."""
        parts = [self.title, fill(self.advice, WIDTH)]
        parts += ["\n".join(_points(self.findings))] if self.findings else []
        if self.cautions:
            parts.append("\n".join(["Mind:", *_points(self.cautions)]))
        for table in self.tables:
            note = fill(table.note, WIDTH, break_on_hyphens=False)
            parts.append("\n".join(filter(None, [table.title, _plain(table), note])))
        return "\n\n".join([*parts, fill(self.design, WIDTH)])

    def markdown(self) -> str:
        """Return it as Markdown."""
        parts = [f"# {_code(self.title)}", self.advice, *self._lists()]
        for table in self.tables:
            parts += [f"## {_code(table.title)}", "\n".join(markdown_table(table.head, table.body))]
            parts += [table.note] if table.note else []
        return "\n\n".join([*parts, "## The data", self.design]) + "\n"

    def _lists(self) -> list[str]:
        lists = []
        if self.findings:
            lists.append("\n".join(f"- {one}" for one in self.findings))
        if self.cautions:
            lists += ["**Mind:**", "\n".join(f"- {one}" for one in self.cautions)]
        return lists

    def html(self) -> str:
        """Return it as a piece of HTML, as notebooks show it."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        return environment.get_template("summary.html").render(it=self)


def summary(
    design: Design,
    strategies: Sequence[Strategy],
    tidy: pd.DataFrame,
    joint: pd.DataFrame | None,
    cautions: Sequence[Caution],
    reliance: Reliance,
) -> Summary:
    """Put an analysis into words and tables.

    Parameters
    ----------
    design : Design
        The table.
    strategies : sequence of Strategy
        What was fitted to it.
    tidy, joint : DataFrame
        The estimates, and the joint tests of the formula's terms, where some has several
        coefficients.
    cautions : sequence of Caution
        What there is to mind.
    reliance : Reliance
        Which strategies are to be relied on.

    Returns
    -------
    Summary
    """
    by_term = {term: rows for term, rows in tidy.groupby("term", sort=False)}
    terms = [term for term in design.shard.terms if term != INTERCEPT] or [INTERCEPT]
    order = [one.label for one in sorted(strategies, key=_rank)]
    findings = [
        finding(term, by_term[term], reliance, order, design.contrasts.get(term, ""))
        for term in terms[:MOST_TERMS]
    ]
    if len(terms) > MOST_TERMS:
        findings.append(f"{counted(len(terms) - MOST_TERMS, 'further coefficient')} below.")
    several = [term for term, columns in design.terms.items() if len(columns) > 1]
    shown = dict.fromkeys([*terms, *(term for term in by_term if term == INTERCEPT)])
    tables = [_of_term(str(term), by_term[term], reliance) for term in shown]
    joint_tables = [] if joint is None else [_of_joint(term, joint) for term in several]
    return Summary(
        title=f"{design.formula}, by {design.cluster}",
        advice=_advice(design, tidy, cautions, reliance, order, terms),
        findings=findings,
        cautions=[caution.text for caution in cautions],
        tables=[*joint_tables, *tables],
        design=_design(design, reliance.icc),
    )


def _rank(strategy: Strategy) -> int:
    """Return which strategies are gone by first: those with CR2, from the simplest model on."""
    robust = strategy.options.get("variance") == "CR2"
    names = ("cluster_robust", "mixed_intercept", "fixed_effects")
    return names.index(strategy.name) if robust and strategy.name in names else len(names)


def _advice(
    design: Design,
    tidy: pd.DataFrame,
    cautions: Sequence[Caution],
    reliance: Reliance,
    order: Sequence[str],
    terms: Sequence[str],
) -> str:
    tested = {
        (row["strategy"], row["term"])
        for row in tidy[tidy["p_value"].notna()].to_dict("records")
        if row["term"] in terms
    }
    if not tested:
        return "No strategy can test anything here; below each says why."
    sound = [
        label
        for label in order
        if any((label, term) in tested and not reliance.reason(label, term) for term in terms)
    ]
    if not sound:
        reasons = listed(
            [f"{label} ({reliance.reason(label, term)})" for label, term in _firsts(tested, order)]
        )
        return (
            f"None of these strategies is to be relied on here: {reasons}. OLS CR2 asks least of "
            "the data."
        )
    G = design.shard.clusters
    if G == 2:
        said = "No test here is to be trusted, as there are 2 clusters: take it as a description"
    elif G < FEWEST_STUDIED:
        said = f"Go by {sound[0]}, with reserve: with {G} clusters its tests, too, are rough"
    else:
        said = f"Go by {sound[0]}"
    if len(sound) > 1 and G > 2:
        said += "; where others disagree, say so"
    gone_by = {
        next((one for one in order if (one, term) in tested and not reliance.reason(one, term)), "")
        for term in terms
    } - {"", sound[0]}
    if gone_by:
        said += f", and for some terms by {listed(sorted(gone_by))}"
    said += "."
    if reliance.never:
        why = [f"{label} ({reliance.reason(label, terms[0])})" for label in reliance.never]
        said += f" Set aside: {listed(why)}."
    return said


def _firsts(tested: Collection[tuple[str, str]], order: Sequence[str]) -> list[tuple[str, str]]:
    """Return each strategy with the first coefficient that it tests."""
    return [
        next(pair for pair in sorted(tested) if pair[0] == label)
        for label in order
        if any(pair[0] == label for pair in tested)
    ]


def _of_term(term: str, rows: pd.DataFrame, reliance: Reliance) -> Table:
    places = decimals(rows["std_error"].tolist())
    body, aside, absent = [], [], []
    df = degrees(rows["df"].tolist())
    for row, freedom in zip(rows.to_dict("records"), df, strict=True):
        label, reason = row["strategy"], reliance.reason(row["strategy"], term)
        if row["status"] not in USABLE:
            absent.append(f"{label} ({row['message']})")
        elif np.isnan(row["estimate"]):
            absent.append(f"{label} (not estimated)")
        elif reason and label not in reliance.never:
            aside.append(f"{label} ({reason})")
        ends = [row["conf_low"], row["conf_high"]]
        interval = " to ".join(fixed(end, places) for end in ends)
        body.append(
            [
                f"{label} *" if reason and not np.isnan(row["estimate"]) else label,
                fixed(row["estimate"], places),
                fixed(row["std_error"], places),
                freedom,
                p_value(row["p_value"]),
                interval if np.isfinite(ends).any() and not row["df"] < FEWEST_DF else "",
            ]
        )
    notes = [f"* set aside: {'; '.join(aside)}."] if aside else []
    notes += [f"No numbers: {'; '.join(absent)}."] if absent else []
    head = ["strategy", "estimate", "std_error", "df", "p_value", "95 % interval"]
    return Table(term, head, body, " ".join(notes))


def _of_joint(term: str, joint: pd.DataFrame) -> Table:
    rows = joint[joint["term"] == term].to_dict("records")
    body = [
        [row["strategy"], number(row["statistic"], 4), *freedom, p_value(row["p_value"])]
        for row, *freedom in zip(
            rows,
            degrees([row["num_df"] for row in rows]),
            degrees([row["den_df"] for row in rows]),
            strict=True,
        )
    ]
    absent = [f"{row['strategy']} ({row['message']})" for row in rows if row["message"]]
    note = f"No numbers: {'; '.join(absent)}." if absent else ""
    head = ["strategy", "F", "num_df", "den_df", "p_value"]
    return Table(f"{term}: all its coefficients together", head, body, note)


def _design(design: Design, given: float) -> str:
    found = sizes(design.shard)
    unequal = f"{found.smallest:,} to {found.largest:,} rows (median {found.median:g}, "
    unequal += f"coefficient of variation {number(found.cv, 2)})"
    each = f"{found.smallest:,} rows each" if found.smallest == found.largest else unequal
    read = f", {design.rows_left_out:,} left out" if design.rows_left_out else ""
    rows = counted(design.shard.y.size, "row")
    clusters = counted(design.shard.clusters, "cluster")
    return f"{rows} in {clusters} of {each}{read}.{_alike(design, given)}"


def _alike(design: Design, given: float) -> str:
    """Say how alike rows of a cluster are, also given the predictors, as far as that is known."""
    of = icc(design.shard, given_x=False)
    if math.isnan(of.value):
        return ""
    said = f" The intraclass correlation of {design.response} is {number(of.value, 2)}"
    if design.shard.p > 1 and not math.isnan(given):
        said += f", given the predictors {number(given, 2)}"
    return f"{said}."


def _points(sentences: Sequence[str]) -> list[str]:
    return [
        fill(one, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
        for one in sentences
    ]


def _plain(table: Table) -> str:
    sides = ("left", *["right"] * (len(table.head) - 1))
    return tabulate(
        table.body, table.head, tablefmt="simple", colalign=sides, disable_numparse=True
    )


def _code(title: str) -> str:
    return title.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")

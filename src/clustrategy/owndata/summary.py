"""An analysis to read: what to do, what to mind, and every term by every strategy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from tabulate import tabulate

from clustrategy.core.counted import counted, listed
from clustrategy.core.shard import INTERCEPT
from clustrategy.design.from_table import Design
from clustrategy.engines.chosen import Strategy
from clustrategy.owndata.cautions import Caution
from clustrategy.owndata.defaults import not_relied_on
from clustrategy.owndata.findings import finding
from clustrategy.owndata.words import degrees, number, p_value
from clustrategy.tables.markdown import markdown_table

if TYPE_CHECKING:
    import pandas as pd

TEMPLATES = Path(__file__).parent / "templates"

WIDTH = 88
"""Of lines of text."""

MOST_TERMS = 12
"""Terms that have a sentence of their own."""

FIRST = "cluster_robust"


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
            parts.append("\n".join(filter(None, [table.title, _plain(table), table.note])))
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

    Returns
    -------
    Summary
    """
    usual = not_relied_on(strategies, design.shard.clusters)
    by_term = {term: rows for term, rows in tidy.groupby("term", sort=False)}
    terms = [term for term in design.shard.terms if term != INTERCEPT] or [INTERCEPT]
    findings = [str(finding(term, by_term[term], usual)) for term in terms[:MOST_TERMS]]
    if len(terms) > MOST_TERMS:
        findings.append(f"{counted(len(terms) - MOST_TERMS, 'further coefficient')} below.")
    several = [term for term, columns in design.terms.items() if len(columns) > 1]
    tables = [
        _of_term(term, by_term[term], usual) for term in (*terms, INTERCEPT) if term in by_term
    ]
    joint_tables = [] if joint is None else [_of_joint(term, joint, usual) for term in several]
    tables = list({table.title: table for table in tables}.values())
    return Summary(
        title=f"{design.formula}, by {design.cluster}",
        advice=_advice(strategies, usual, tidy),
        findings=findings,
        cautions=[caution.text for caution in cautions],
        tables=[*joint_tables, *tables],
        design=_design(design),
    )


def _advice(strategies: Sequence[Strategy], usual: Collection[str], tidy: pd.DataFrame) -> str:
    numbers = set(tidy.loc[tidy["p_value"].notna(), "strategy"])
    if not numbers:
        return "No strategy can test anything here; below each says why."
    sound = [one for one in strategies if one.label not in usual and one.label in numbers]
    first = next((one for one in sound if one.options.get("variance") == "CR2"), None)
    first = first or next(iter(sound), None)
    if first is None and len(usual) < len(strategies):
        return "No strategy that is to be relied on gives numbers here; below each says why."
    if first is None:
        return (
            "None of these strategies is to be relied on with clusters as few as these. Leave the "
            "strategies out, or name one with CR2 and Satterthwaite's degrees of freedom."
        )
    said = f"Go by {first.label}"
    if len(sound) > 1:
        said += ", and see whether the others agree"
    if first.options.get("variance") == "CR2":
        said += ": its degrees of freedom allow for few and unequal clusters"
    if usual:
        said += f". {listed(list(usual))}: shown because papers usually have " + (
            "it" if len(usual) == 1 else "them"
        )
    return said + "."


def _of_term(term: str, rows: pd.DataFrame, usual: Collection[str]) -> Table:
    body = []
    for row in rows.to_dict("records"):
        note = row["message"] if row["status"] not in ("ok", "singular") else ""
        if not note and np.isnan(row["estimate"]):
            note = "not estimated"
        if not note and row["strategy"] in usual:
            note = "as papers usually have it"
        interval = [row["conf_low"], row["conf_high"]]
        body.append(
            [
                row["strategy"],
                number(row["estimate"], 4),
                number(row["std_error"], 3),
                degrees(row["df"]),
                p_value(row["p_value"]),
                " to ".join(number(end, 4) for end in interval)
                if np.isfinite(interval).any()
                else "",
                note,
            ]
        )
    return Table(
        term, ["strategy", "estimate", "std_error", "df", "p_value", "95 % interval", ""], body
    )


def _of_joint(term: str, joint: pd.DataFrame, usual: Collection[str]) -> Table:
    rows = joint[joint["term"] == term].to_dict("records")
    body = [
        [
            row["strategy"],
            number(row["statistic"], 4),
            degrees(row["num_df"]),
            degrees(row["den_df"]),
            p_value(row["p_value"]),
            row["message"] or ("as papers usually have it" if row["strategy"] in usual else ""),
        ]
        for row in rows
    ]
    head = ["strategy", "F", "num_df", "den_df", "p_value", ""]
    return Table(f"{term}: all its coefficients together", head, body)


def _design(design: Design) -> str:
    sizes = design.shard.n[0]
    least, most = int(sizes.min()), int(sizes.max())
    each = f"{least:,} rows each" if least == most else f"{least:,} to {most:,} rows"
    read = f", {design.rows_left_out:,} left out" if design.rows_left_out else ""
    return (
        f"{counted(design.shard.y.size, 'row')} in {counted(sizes.size, 'cluster')} of "
        f"{each} (median {np.median(sizes):g}){read}."
    )


def _points(sentences: Sequence[str]) -> list[str]:
    return [
        fill(one, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
        for one in sentences
    ]


def _plain(table: Table) -> str:
    sides = ("left", *["right"] * 5, "left")[: len(table.head) - 1] + ("left",)
    return tabulate(
        table.body, table.head, tablefmt="simple", colalign=sides, disable_numparse=True
    )


def _code(title: str) -> str:
    return title.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")

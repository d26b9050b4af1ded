"""One dataset in full: the data, the truth and what each strategy makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from clustrategy.core.cells import Level, format_level
from clustrategy.core.shard import Shard
from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import parse_all
from clustrategy.evaluation.scores import score
from clustrategy.owndata.tidy import tidy
from clustrategy.tables.markdown import markdown_table

_STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"), (0.1, "."))


def stars(p_value: float) -> str:
    """Return R's significance code of a p-value."""
    return next((mark for limit, mark in _STARS if p_value < limit), "")


@dataclass(frozen=True)
class WorkedExample:
    """One dataset in full.

    Attributes
    ----------
    dataset : DataFrame
        A row per observation.
    true_coefficients : DataFrame
        A row per term.
    cluster_coefficients : DataFrame
        A row per cluster.
    coefficients : DataFrame
        What the strategies make of it, in the columns of `analyze`, with significance stars.
    metrics : DataFrame
        A row per strategy.
    page : str
        All that in words, in Markdown.
    """

    dataset: pd.DataFrame
    true_coefficients: pd.DataFrame
    cluster_coefficients: pd.DataFrame
    coefficients: pd.DataFrame
    metrics: pd.DataFrame
    page: str


def worked_example(
    process: Process,
    seed: int,
    cell: Mapping[str, Level],
    strategies: Sequence[Mapping[str, Any]],
) -> WorkedExample:
    """Draw sim 0 of a cell and fit every strategy to it.

    Parameters
    ----------
    process : Process
        The data-generating process of the cell.
    seed : int
        The study's seed.
    cell : Mapping
        The levels of the cell.
    strategies : Sequence of Mapping
        The entries of the study.
    """
    drawn = simulate(process, seed, cell, [0])
    shard, terms = drawn.shard, drawn.shard.terms
    data = pd.DataFrame({"Group": shard.cluster_codes(0) + 1, "DV": shard.y})
    data[list(terms[1:])] = shard.X[:, 1:]
    truth = pd.DataFrame({"term": terms, "true_value": drawn.truth[0]})
    of_clusters = pd.DataFrame(drawn.cluster_coefficients[0], columns=list(terms))
    of_clusters.insert(0, "Group", np.arange(1, process.clusters + 1))

    formula = "DV ~ " + " + ".join(terms[1:])
    chosen = parse_all(strategies)
    table = tidy(shard.terms, chosen, [strategy.fit(shard) for strategy in chosen])
    table["stars"] = [stars(p) for p in table["p_value"]]
    metrics = _metrics(table, drawn.truth)
    page = _page(_description(process, shard), formula, truth, table, metrics)
    return WorkedExample(data, truth, of_clusters, table, metrics, page)


def _metrics(table: pd.DataFrame, truth: np.ndarray) -> pd.DataFrame:
    rows = []
    for label, part in table.groupby("strategy", sort=False):
        names = ("estimate", "std_error", "statistic")
        numbers = {name: part[name].to_numpy(dtype=float)[None] for name in names}
        sums = {k: v[0] for k, v in score(**numbers, truth=truth)._asdict().items()}
        rows.append({"strategy": label, **sums, "fit_success": part["status"].iloc[0] == "ok"})
    return pd.DataFrame(rows)


def _description(process: Process, shard: Shard) -> str:
    """Say in a few words how the dataset was drawn."""
    least, most = shard.n.min(), shard.n.max()
    sigmas = [f"{sigma:g}" for sigma in process.sigmas]
    varying = (
        f"every coefficient varying between clusters with standard deviation {sigmas[0]}"
        if len(set(sigmas)) == 1
        else f"coefficients varying between clusters with standard deviations {', '.join(sigmas)}"
    )
    chosen = [
        f"{option.name} {format_level(value)}"
        for option in fields(process)
        if option.default is not MISSING
        and (value := getattr(process, option.name)) != option.default
    ]
    sizes = str(least) if least == most else f"{least} to {most}"
    options = f" ({', '.join(chosen)})" if chosen else ""
    return f"{process.clusters} clusters of {sizes} observations, {varying}{options}"


def _page(
    description: str,
    formula: str,
    truth: pd.DataFrame,
    table: pd.DataFrame,
    metrics: pd.DataFrame,
) -> str:
    true: dict[str, float] = dict(zip(truth["term"], truth["true_value"], strict=True))
    lines = [
        "# One dataset, every strategy",
        "",
        f"{description}; the model is `{formula}`. The data are in `dataset.csv`, the coefficients "
        "of each cluster in `cluster_coefficients.csv`.",
        "",
        "The true coefficients: "
        + ", ".join(f"{term} {value:.4f}" for term, value in true.items())
        + ".",
    ]
    for (label, engine), part in table.groupby(["strategy", "engine"], sort=False):
        lines += ["", f"## {label} ({engine})", ""]
        status, message = part[["status", "message"]].iloc[0]
        if status != "ok" or message:
            lines += [f"{status}: {message}", ""]
        body = [
            [
                str(row.term),
                f"{true[str(row.term)]:.4f}",
                f"{row.estimate:.4f}",
                f"{row.conf_low:.4f} to {row.conf_high:.4f}",
                f"{row.std_error:.4f}",
                f"{row.df:.1f}",
                f"{row.statistic:.2f}",
                f"{row.p_value:.3g}",
                str(row.stars),
            ]
            for row in part.itertuples()
        ]
        head = ["term", "true value", "estimate", "95 % CI", "SE", "df", "t", "p", ""]
        lines += markdown_table(head, body)
    lines += [
        "",
        "Stars: `***` p < 0.001, `**` p < 0.01, `*` p < 0.05, `.` p < 0.1.",
        "",
        "## The three metrics",
        "",
        "Sums over the coefficients: how far the estimates are from the truth, how unsure the "
        "strategy says they are, how far from zero it judges them.",
        "",
    ]
    sums = [
        [str(r.strategy), f"{r.coef_abs_err:.4f}", f"{r.se_sum:.4f}", f"{r.t_sum:.2f}"]
        for r in metrics.itertuples()
    ]
    lines += markdown_table(["strategy", "abs. coef. error", "sum of SEs", "sum of abs. t"], sums)
    return "\n".join(lines) + "\n"

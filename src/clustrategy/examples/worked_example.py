"""One dataset in full: the data, the truth and what each strategy makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from clustrategy.core.cells import format_level
from clustrategy.core.shard import Shard
from clustrategy.dgp import Process, simulate
from clustrategy.evaluation.scores import score
from clustrategy.owndata.analyze import analyze
from clustrategy.tables.files import write_csv, write_text
from clustrategy.tables.markdown import markdown_table

_STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"), (0.1, "."))


def stars(p_value: float) -> str:
    """R's significance codes."""
    return next((mark for limit, mark in _STARS if p_value < limit), "")


def worked_example(
    job: Mapping[str, Any], strategies: Sequence[Mapping[str, Any]], folder: str | Path
) -> None:
    """Write the data, the truth, the coefficient tables, the metrics and a page into a folder.

    Parameters
    ----------
    job : `seed`, `cell` and `process`, as `Study` gives them; the dataset is the cell's sim 0.
    strategies : the entries of the study.
    """
    process = Process(**job["process"])
    drawn = simulate(process, job["seed"], job["cell"], [0])
    shard, terms = drawn.shard, drawn.shard.terms
    group = shard.cluster_codes(0) + 1
    data = pd.DataFrame({"Group": group, "DV": shard.y})
    data[list(terms[1:])] = shard.X[:, 1:]
    truth = pd.DataFrame({"term": terms, "true_value": drawn.truth[0]})
    people = pd.DataFrame(drawn.cluster_coefficients[0], columns=list(terms))
    people.insert(0, "Group", np.arange(1, process.clusters + 1))

    formula = "DV ~ " + " + ".join(terms[1:])
    table = analyze(data, formula, cluster="Group", strategies=strategies)
    table["stars"] = [stars(p) for p in table["p_value"]]
    metrics = _metrics(table, drawn.truth)
    page = _page(_description(process, shard), formula, truth, table, metrics)

    folder = Path(folder)
    frames = {
        "dataset": data,
        "true_coefficients": truth,
        "cluster_coefficients": people,
        "coefficients": table,
        "metrics": metrics,
    }
    for name, frame in frames.items():
        write_csv(pa.Table.from_pandas(frame, preserve_index=False), folder / f"{name}.csv")
    write_text(page, folder / "worked_example.md")


def _metrics(table: pd.DataFrame, truth: np.ndarray) -> pd.DataFrame:
    rows = []
    for label, part in table.groupby("strategy", sort=False):
        names = ("estimate", "std_error", "statistic")
        numbers = {name: part[name].to_numpy(dtype=float)[None] for name in names}
        sums = {k: v[0] for k, v in score(**numbers, truth=truth)._asdict().items()}
        rows.append({"strategy": label, **sums, "fit_success": part["status"].iloc[0] == "ok"})
    return pd.DataFrame(rows)


def _description(process: Process, shard: Shard) -> str:
    """How the dataset was drawn, in a few words."""
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
        if part["status"].iloc[0] != "ok":
            lines += [f"{part['status'].iloc[0]}: {part['message'].iloc[0]}", ""]
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

"""Write docs/inference.md from the tables of the inference study: python docs/inference.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

DOCS = Path(__file__).parent
RESULTS = DOCS.parent / "results" / "inference"
WITHIN, BETWEEN = "IV1", "IV3"
KEYS = ["clusters", "obs_per_cluster", "between_cluster_sigma"]


class Number(NamedTuple):
    """A mean over cells.

    Attributes
    ----------
    value, mcse : float
        The mean and its Monte Carlo standard error.
    cells : int
        How many cells there are.
    query : str
        The first columns of its row in the page's table.
    """

    value: float
    mcse: float
    cells: int
    query: str

    @property
    def percent(self) -> str:
        """In percent, with the MCSE in brackets."""
        return f"{100 * self.value:.1f} % ({100 * self.mcse:.1f})"


class Table:
    """The performance table, and the numbers that were asked of it."""

    def __init__(self) -> None:
        whole = pd.read_parquet(RESULTS / "performance.parquet")
        self.rows = whole[whole["handling"] == "case_wise"]
        self.asked: list[Number] = []
        self.sentence = 1

    def mean(self, strategy: str, measure: str, term: str, **cells: float) -> Number:
        """Return the mean of a measure over the cells with these levels."""
        rows = self.rows
        where = (rows["strategy"] == strategy) & (rows["measure"] == measure)
        where &= rows["term"] == term
        for factor, value in cells.items():
            where &= rows[factor] == value
        found = rows[where]
        levels = ", ".join(f"{factor} {value:g}" for factor, value in cells.items()) or "all"
        mcse = float(np.sqrt((found["mcse"] ** 2).sum()) / len(found))
        query = f"| {self.sentence} | {strategy} | {term} | {measure} | {levels} |"
        number = Number(float(found["value"].mean()), mcse, len(found), query)
        self.asked.append(number)
        return number

    def largest(self, strategy: str, measure: str, term: str) -> tuple[Number, str]:
        """Return a measure in the cell where it is largest, and that cell."""
        rows = self.rows
        where = (rows["strategy"] == strategy) & (rows["measure"] == measure)
        found = rows[where & (rows["term"] == term)]
        row = found.iloc[int(found["value"].argmax())]
        cell = {factor: row[factor] for factor in KEYS}
        words = f"{cell[KEYS[0]]} × {cell[KEYS[1]]}, sigma {cell[KEYS[2]]:g}"
        return self.mean(strategy, measure, term, **cell), words


def sentences(table: Table) -> Iterator[str]:
    """Yield the ten sentences; what each asks of the table is kept under its number."""

    def size(strategy: str, term: str, **cells: float) -> str:
        return table.mean(strategy, "rejection_rate", term, **cells).percent

    def by_clusters(strategy: str, term: str) -> str:
        return ", ".join(size(strategy, term, clusters=G) for G in (10, 30, 100))

    few: dict[str, float] = {"clusters": 10}
    small: dict[str, float] = {"obs_per_cluster": 5, "between_cluster_sigma": 0.1}

    everywhere = size("ols", WITHIN), size("ols", BETWEEN)
    worst, cell = table.largest("ols", "rejection_rate", BETWEEN)
    yield (
        "**Ignoring the clusters is not an option.** Least squares with its classical errors "
        f"declares a predictor without effect significant in {everywhere[0]} of datasets where "
        f"the predictor varies within clusters, in {everywhere[1]} where it is the same for a "
        f"whole cluster, and in {worst.percent} in the worst cell ({cell})."
    )
    yield (
        "**A random intercept is no better for a predictor that varies within clusters** when "
        f"slopes differ between them: {size('mixed_intercept', WITHIN)} false positives, "
        f"{size('mixed_intercept', WITHIN, between_cluster_sigma=0.25)} already where the slopes' "
        "sigma is a quarter of the errors'; for cluster-level predictors it keeps its level, "
        f"{size('mixed_intercept', BETWEEN)}."
    )
    narrow = table.mean("mixed_intercept", "relative_error", WITHIN)
    honest = table.mean("mixed_maximal", "relative_error", WITHIN)
    without = table.mean("mixed_intercept", "coverage", WITHIN).percent
    with_cr2 = table.mean("mixed, random intercept, CR2", "coverage", WITHIN).percent
    yield (
        "**Its standard errors, not its estimates, are wrong**: on average they are off by "
        f"{narrow.percent}, those of the maximal model by {honest.percent}; with CR2 on top the "
        f"coverage of its 95 % intervals rises from {without} to {with_cr2}."
    )
    yield (
        "**The usual cluster-robust standard errors (CR1S) need many clusters for cluster-level "
        f"predictors**: {by_clusters('OLS, CR1S', BETWEEN)} false positives with 10, 30 and 100 "
        f"clusters; within clusters {size('OLS, CR1S', WITHIN, **few)} with 10 already."
    )
    robust = [
        size(name, term, **few)
        for term in (BETWEEN, WITHIN)
        for name in ("OLS, CR2", "wild_cluster_bootstrap")
    ]
    yield (
        "**CR2 with Satterthwaite's degrees of freedom and the wild cluster bootstrap do not "
        f"reject too often with 10 clusters**: {robust[0]} and {robust[1]} for a cluster-level "
        f"predictor, {robust[2]} and {robust[3]} within clusters; CR2 is somewhat careful there, "
        "and GEE with Mancl and DeRouen's variance very much "
        f"({size('GEE, Mancl-DeRouen', BETWEEN, **few)})."
    )
    yield (
        f"**The maximal model holds its level within clusters ({size('mixed_maximal', WITHIN)}) "
        "but not for cluster-level predictors when clusters are few**: "
        f"{by_clusters('mixed_maximal', BETWEEN)} with 10, 30 and 100 clusters. It estimates how "
        "intercepts and slopes go together and counts on it, with 10 clusters too much. Without "
        f"the correlations it is {size('mixed_uncorrelated', BETWEEN, **few)}, and Kenward and "
        "Roger's method brings the maximal model to "
        f"{size('mixed, maximal, Kenward-Roger', BETWEEN, **few)}; lme4 with lmerTest gives the "
        "same p-values (to 0.001 in 120 datasets of 10 clusters of 25, sigma 1)."
    )
    yield (
        "**Kenward and Roger's method is too careful where slopes hardly vary**: at sigma 0.1 "
        "with 10 clusters of 5 it rejects "
        f"{size('mixed, maximal, Kenward-Roger', WITHIN, **few, **small)} within clusters, "
        f"Satterthwaite's {size('mixed_maximal', WITHIN, **few, **small)}."
    )
    level = by_clusters("two_stage", WITHIN), by_clusters("two_stage", BETWEEN)
    power = [
        table.mean(name, "rejection_rate", "IV2", clusters=30, **small).percent
        for name in ("two_stage", "two-stage, precision", "mixed_maximal", "OLS, CR2")
    ]
    yield (
        f"**Two-stage regression is never far from 5 %**: {level[0]} within clusters with 10, 30 "
        f"and 100 of them, {level[1]} for cluster-level predictors. Its price is power where "
        "clusters have few rows: with 30 clusters of 5 and sigma 0.1 it finds an effect of 0.2 in "
        f"{power[0]} of datasets, with precision weights in {power[1]}, the maximal model in "
        f"{power[2]}, CR2 in {power[3]}."
    )
    yield (
        "**Selecting the random effects by likelihood ratio tests costs little within clusters "
        f"({size('mixed_selected', WITHIN)}) and takes away part of the maximal model's excess "
        f"between them**: {size('mixed_selected', BETWEEN, **few)} with 10 clusters."
    )
    status = pd.read_parquet(RESULTS / "fits.parquet", columns=["strategy", "status"])
    maximal = status.loc[status["strategy"] == "mixed_maximal", "status"] == "singular"
    share = float(maximal.mean())
    singular = Number(share, float(np.sqrt(share * (1 - share) / len(maximal))), len(KEYS), "")
    unusable = int((~status["status"].isin(["ok", "singular"])).sum())
    bias = table.rows[(table.rows["measure"] == "bias") & (table.rows["term"] != "(Intercept)")]
    z = (bias["value"] / bias["mcse"]).abs().max()
    yield (
        f"**Every fit is usable and nothing is biased**: {unusable:,} of {len(status):,} fits "
        f"are not, and of {bias['value'].count():,} biases the largest is {z:.1f} of its Monte "
        f"Carlo standard errors; but {singular.percent} of the maximal fits are singular, and "
        "count all the same."
    )


def page() -> str:
    """Write the page."""
    table = Table()
    numbered = []
    for text in sentences(table):
        numbered.append(f"{table.sentence}. {text}")
        table.sentence += 1
    lines = [
        "# What the inference study found",
        "",
        "`snakemake --configfile config/inference.yaml`: 10, 30 and 100 clusters of 5, 25 and 100 "
        "observations, between-cluster sigma 0.1 to 4 (the errors' is 1; intercepts and slopes "
        "differ between clusters alike), 1,000 datasets a cell, fourteen strategies. IV1 (no "
        "effect) and IV2 (0.2) vary within clusters, IV3 (no effect) is a cluster-level predictor "
        "and IV4 (0.5) a treatment of half of the clusters. Numbers are means over cells, with "
        "their Monte Carlo standard error in brackets; tests are two-sided at 5 %.",
        "",
        *numbered,
        "",
        "They hold for this design: balanced clusters, normal errors, slopes that vary as much as "
        "intercepts. Change `config/inference.yaml` to yours and see.",
        "",
        "![Type I error by strategy and cell](type_i_error.png)",
        "",
        "![Power by strategy and cell](power.png)",
        "",
        "![Coverage by strategy and cell](coverage.png)",
        "",
        "![Relative error of the standard errors by strategy and cell](relative_error.png)",
        "",
        "![All cells side by side](nested_loop.png)",
        "",
        "![Distribution of p-values where the truth is zero](p_value_ecdf.png)",
        "",
        "## The numbers",
        "",
        "By sentence, from `performance.parquet` (case-wise). Besides, the counts of sentence 10 "
        "are from `unusable_rate`, `bias` and `fits.parquet`, and the comparison with lmerTest in "
        "sentence 6 is the audit of its cell alone (`strategies: [mixed_maximal]`, `sims: 120`, "
        "`audit: {engine: lme4, sims: all}`).",
        "",
        "| sentence | strategy | coefficient | measure | cells | mean | MCSE | cells averaged |",
        "| ---: | --- | --- | --- | --- | ---: | ---: | ---: |",
        *(f"{n.query} {n.value:.4f} | {n.mcse:.4f} | {n.cells} |" for n in table.asked),
        "",
        "This page is written by `python docs/inference.py` from the study's tables.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (DOCS / "inference.md").write_text(page(), encoding="utf-8")

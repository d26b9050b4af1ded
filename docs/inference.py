"""Write docs/inference.md from the tables of the inference study: python docs/inference.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

DOCS = Path(__file__).parent
RESULTS = DOCS.parent / "results" / "inference"
WITHIN = "predictor within clusters"
BETWEEN = "cluster-level predictor"


class Number(NamedTuple):
    """A row of the page's table: the range over some cells, and the worst of them.

    Attributes
    ----------
    query : str
        The first columns of the row.
    lowest, highest : float
        Over the cells.
    worst, mcse : float
        Of the worst cell, a false-positive rate of fresh sims, with its Monte Carlo standard error.
    cell : str
        The worst cell.
    cells : int
        How many there are.
    """

    query: str
    lowest: float
    highest: float
    worst: float
    mcse: float
    cell: str
    cells: int

    @property
    def range(self) -> str:
        """In percent, from the lowest cell to the highest."""
        return f"{100 * self.lowest:.1f} to {100 * self.highest:.1f} %"

    @property
    def at_worst(self) -> str:
        """The worst cell in percent, with the MCSE in brackets."""
        return f"{100 * self.worst:.1f} % ({100 * self.mcse:.1f})"

    @property
    def told(self) -> str:
        """The range and the worst cell."""
        return f"{self.range}, the highest drawn again {self.at_worst}"


class Table:
    """The verdict table, and the numbers that were asked of it."""

    def __init__(self) -> None:
        self.rows = pd.read_parquet(RESULTS / "verdicts.parquet")
        self.asked: list[Number] = []
        self.sentence = 1

    def over(
        self,
        strategy: str,
        kind: str,
        clusters: int | None = None,
        measure: str = "false_positive_rate",
    ) -> Number:
        """Return a measure over all cells, or those with so many clusters."""
        rows = self._of(strategy, kind, measure)
        rows = rows[rows["scope"] == ("all" if clusters is None else "clusters")]
        if clusters is not None:
            rows = rows[rows["clusters"] == clusters]
        (row,) = rows.to_dict("records")
        where = "all" if clusters is None else f"{clusters} clusters"
        ends = row["lowest"], row["highest"], row["value"], row["mcse"]
        return self._ask(strategy, kind, measure, where, ends, row["worst_cell"], row["cells"])

    def cell(
        self, strategy: str, kind: str, measure: str, effect: float | None = None, **cell: float
    ) -> Number:
        """Return a measure in one cell."""
        rows = self._of(strategy, kind, measure)
        rows = rows[rows["scope"] == "cell"]
        for factor, value in cell.items():
            rows = rows[rows[factor] == value]
        if effect is not None:
            rows = rows[rows["effect"] == effect]
        (row,) = rows.to_dict("records")
        where = ", ".join(f"{factor} {value:g}" for factor, value in cell.items())
        value = row["value"]
        ends = value, value, value, row["mcse"]
        return self._ask(strategy, kind, measure, where, ends, "", 1)

    def range_where(self, strategy: str, kind: str, measure: str, **cells: float) -> Number:
        """Return a measure over the cells with these levels; its worst cell is not fresh."""
        rows = self._of(strategy, kind, measure)
        rows = rows[rows["scope"] == "cell"]
        for factor, value in cells.items():
            rows = rows[rows[factor] == value]
        row = rows.iloc[int(rows["value"].argmax())]
        where = ", ".join(f"{factor} {value:g}" for factor, value in cells.items())
        ends = rows["value"].min(), rows["value"].max(), row["value"], row["mcse"]
        return self._ask(strategy, kind, measure, where, ends, "", len(rows))

    def standing(self, strategy: str, kind: str) -> dict[str, int]:
        """Return in how many of all cells a strategy is safe, and in how many liberal."""
        rows = self._of(strategy, kind, "false_positive_rate")
        (row,) = rows[rows["scope"] == "all"].to_dict("records")
        return {name: int(row[f"{name}_cells"]) for name in ("safe", "liberal")}

    def _of(self, strategy: str, kind: str, measure: str) -> pd.DataFrame:
        rows = self.rows
        where = (rows["strategy"] == strategy) & (rows["measure"] == measure)
        return rows[where & (rows["kind"] == kind)]

    def _ask(
        self,
        strategy: str,
        kind: str,
        measure: str,
        where: str,
        numbers: tuple[float, float, float, float],
        cell: str,
        cells: int,
    ) -> Number:
        query = f"| {self.sentence} | {strategy} | {kind} | {measure} | {where} |"
        number = Number(query, *numbers, cell, cells)
        self.asked.append(number)
        return number


def sentences(table: Table) -> Iterator[str]:
    """Yield the ten sentences; what each asks of the table is kept under its number."""

    def told(strategy: str, kind: str, clusters: int | None = None) -> str:
        return table.over(strategy, kind, clusters).told

    def by_clusters(strategy: str, kind: str) -> str:
        return ", ".join(table.over(strategy, kind, G).at_worst for G in (10, 30, 100))

    def at_sigma(strategy: str, sigma: float) -> str:
        measure = "false_positive_rate"
        return table.range_where(strategy, WITHIN, measure, between_cluster_sigma=sigma).range

    small: dict[str, float] = {"obs_per_cluster": 5, "between_cluster_sigma": 0.1}
    ols, intercept = (table.standing(name, WITHIN) for name in ("ols", "mixed_intercept"))
    yield (
        "**Do not ignore the clusters.** Least squares with its classical errors is liberal in "
        f"{ols['liberal']} of 45 cells for predictors within clusters "
        f"({told('ols', WITHIN)}) and in {table.standing('ols', BETWEEN)['liberal']} for "
        f"cluster-level predictors ({told('ols', BETWEEN)}). Small differences between clusters "
        f"are enough: at sigma 0.25 it rejects in {at_sigma('ols', 0.25)} within clusters, at "
        f"sigma 0.1 in {at_sigma('ols', 0.1)}."
    )
    yield (
        "**Do not use a random intercept alone for a predictor that varies within clusters** "
        f"where slopes may differ between them: liberal in {intercept['liberal']} of 45 cells, "
        f"{told('mixed_intercept', WITHIN)}. For cluster-level predictors it keeps its level: "
        f"{told('mixed_intercept', BETWEEN)}."
    )
    error = table.over("mixed_intercept", WITHIN, measure="relative_error")
    honest = table.over("mixed_maximal", WITHIN, measure="relative_error")
    yield (
        "**Its standard errors are wrong, not its estimates**: by "
        f"{error.range} over the cells, those of the maximal model by {honest.range}. With CR2 on "
        f"top its false-positive rate is {told('mixed, random intercept, CR2', WITHIN)}."
    )
    yield (
        "**The usual cluster-robust standard errors (CR1S) need many clusters for cluster-level "
        f"predictors**: {by_clusters('OLS, CR1S', BETWEEN)} false positives in the worst cells of "
        "10, 30 and 100 clusters. Within clusters it is "
        f"{table.over('OLS, CR1S', WITHIN, 10).at_worst} at worst with 10."
    )
    robust = [
        table.over(name, kind, 10).told
        for kind in (BETWEEN, WITHIN)
        for name in ("OLS, CR2", "wild_cluster_bootstrap")
    ]
    yield (
        "**CR2 with Satterthwaite's degrees of freedom and the wild cluster bootstrap are what to "
        f"use with 10 clusters**: for cluster-level predictors {robust[0]}, and {robust[1]}; "
        f"within clusters {robust[2]}, and {robust[3]}. GEE with Mancl and DeRouen's variance and "
        "t(G − p) is conservative there "
        f"({told('GEE, Mancl-DeRouen', BETWEEN, 10)})."
    )
    yield (
        "**The maximal model keeps its level within clusters "
        f"({told('mixed_maximal', WITHIN)}) but not for cluster-level predictors when clusters "
        f"are few**: {by_clusters('mixed_maximal', BETWEEN)} in the highest cells of 10, 30 and "
        "100 clusters. It estimates how intercepts and slopes go together and counts on it, and "
        "does not pay for it in degrees of freedom ([the formula](strategies/mixed_maximal.md)). "
        "Without the correlations it is "
        f"{table.over('mixed_uncorrelated', BETWEEN, 10).at_worst} with 10; Kenward and Roger's "
        "method is too cautious in some cells and liberal in others: "
        f"{told('mixed, maximal, Kenward-Roger', BETWEEN, 10)}. lme4 with lmerTest gives the same "
        "p-values (to 0.001 in 120 datasets of 10 clusters of 25, sigma 1)."
    )
    careful, plain = (
        table.cell(name, WITHIN, "false_positive_rate", clusters=10, **small)
        for name in ("mixed, maximal, Kenward-Roger", "mixed_maximal")
    )
    yield (
        "**Kenward and Roger's method is conservative where the maximal fit is singular**: at "
        f"sigma 0.1 with 10 clusters of 5 it rejects {careful.at_worst} within clusters, "
        f"Satterthwaite's {plain.at_worst}."
    )
    power = [
        table.cell(name, WITHIN, "power", effect=0.2, clusters=30, **small).at_worst
        for name in ("two_stage", "two-stage, precision", "mixed_maximal", "OLS, CR2")
    ]
    precision = table.standing("two-stage, precision", WITHIN)
    yield (
        "**Two-stage regression keeps its level nearly everywhere**: within clusters "
        f"{told('two_stage', WITHIN)}, for cluster-level predictors {told('two_stage', BETWEEN)}. "
        "Its price is power where clusters have few rows: with 30 clusters of 5 and sigma 0.1 it "
        f"finds an effect of 0.2 in {power[0]} of datasets, the maximal model in {power[2]}, CR2 "
        f"in {power[3]}. Precision weights find it in {power[1]}, but as a liberal test: "
        f"{told('two-stage, precision', WITHIN)}, safe in {precision['safe']} of 45 cells."
    )
    yield (
        "**Selecting the random effects by likelihood ratio tests is liberal in places within "
        f"clusters ({told('mixed_selected', WITHIN)}) and keeps most of the maximal model's "
        f"excess between them**: {by_clusters('mixed_selected', BETWEEN)} in the worst cells."
    )
    status = pd.read_parquet(RESULTS / "fits.parquet", columns=["strategy", "status"])
    singular = status.loc[status["strategy"] == "mixed_maximal", "status"] == "singular"
    unusable = int((~status["status"].isin(["ok", "singular"])).sum())
    bias = table.rows[
        (table.rows["measure"] == "bias")
        & (table.rows["scope"] == "cell")
        & (table.rows["kind"] != "intercept")
    ]
    z = (bias["value"] / bias["mcse"]).abs().max()
    yield (
        f"**Every fit is usable and nothing is biased**: {unusable:,} of {len(status):,} fits "
        f"are not, and of {bias['value'].count():,} biases the largest is {z:.1f} of its Monte "
        f"Carlo standard errors; but {100 * singular.mean():.1f} % of the maximal fits are "
        "singular, and count all the same."
    )


HEAD = """\
# What the inference study found

**With few clusters use CR2 with Satterthwaite's degrees of freedom, the wild cluster bootstrap or
two-stage regression; the maximal model only for predictors that vary within clusters; a random
intercept alone only for cluster-level predictors; never plain least squares.** Below are the
numbers.

`snakemake --configfile config/inference.yaml`: 10, 30 and 100 clusters of 5, 25 and 100
observations, between-cluster sigma 0.1 to 4 (the errors' is 1; intercepts and slopes differ between
clusters alike), 1,000 datasets a cell, fourteen strategies. IV1 and IV2 vary within clusters, IV3
is a cluster-level predictor and IV4 a treatment of half of the clusters. Given are the range of the
false-positive rate over the cells (two-sided tests at 5 %) and, drawn again with fresh sims, its
highest cell, with the Monte Carlo standard error in brackets. *Liberal* is corrected for the
number of cells ([how verdicts are made](verdicts.md)).
"""

TAIL = """\
They hold for this design: balanced clusters, normal errors, slopes that vary as much as intercepts.
Change `config/inference.yaml` to yours and see. 1,000 sims can say that a strategy is liberal and
cannot certify that one is safe in all 45 cells; `sims: {of: verdict}` can.

![False-positive rates by strategy](false_positives.png)

![The verdict in each cell](verdict_map.png)

![Power by size of the effect](power_by_effect.png)

![Relative error of the standard errors by strategy](relative_error.png)

![Distribution of p-values where the truth is zero](p_value_ecdf.png)

## The numbers

By sentence, from `verdicts.parquet`; the counts of sentence 10 are from `fits.parquet`, too, and
the comparison with lmerTest in sentence 6 is the audit of its cell alone
(`strategies: [mixed_maximal]`, `sims: 120`, `audit: {engine: lme4, sims: all}`).
"""


def page() -> str:
    """Write the page."""
    table = Table()
    numbered = []
    for text in sentences(table):
        numbered.append(f"{table.sentence}. {text}")
        table.sentence += 1
    lines = [
        " ".join(HEAD.split("\n\n")[0].split("\n")),
        "",
        *(f"{' '.join(part.splitlines())}\n" for part in HEAD.split("\n\n")[1:]),
        *numbered,
        "",
        *(f"{' '.join(part.splitlines())}\n" for part in TAIL.split("\n\n")),
        "| sentence | strategy | terms | measure | cells | lowest | highest | redrawn | MCSE | "
        "highest cell |",
        "| ---: | --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |",
        *(
            f"{n.query} {n.lowest:.4f} | {n.highest:.4f} | {n.worst:.4f} | {n.mcse:.4f} | "
            f"{n.cell or ''} |"
            for n in table.asked
        ),
        "",
        "This page is written by `python docs/inference.py` from the study's tables.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (DOCS / "inference.md").write_text(page(), encoding="utf-8")

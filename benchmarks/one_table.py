"""CPU seconds and memory of one analysis of one large table, in a process of its own.

Printed as JSON: the rows, the seconds of each part and the process's largest memory in bytes. What
starts an engine up (imports) is done before the clock runs, by the same analysis of a small table.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import MAXRSS_UNIT, REPO, Clock, run
from clustrategy.design.from_table import design_from_table
from clustrategy.engines.chosen import Strategy
from clustrategy.tables.estimates import estimates_table

LARGEST = 60
"""Rows of the largest cluster; the smallest have one, and the average is a third of it."""

FORMULAS = {4: "score ~ x + treat + age", 6: "score ~ x + treat + age + kind"}
"""By the number of coefficients."""

LME4 = {
    "mixed_maximal": "score ~ x + treat + age + (1 + x + age | school)",
    "mixed_intercept": "score ~ x + treat + age + (1 | school)",
}
"""What lme4 calls the models of four coefficients."""

WARM_UP = 60
READ, TRIANGLES, FIT = "read", "triangles", "fit"


def draw(clusters: int) -> pd.DataFrame:
    """Draw a table: `x` and `age` vary within schools, `treat` between them; `kind` is a factor.

    Parameters
    ----------
    clusters : int
        Schools, whose rows are in a random order.

    Returns
    -------
    DataFrame
        About 20 rows for each of them.
    """
    rng = np.random.default_rng(20190218)
    sizes = np.ceil(LARGEST * rng.beta(1.0, 2.0, clusters)).astype(int)
    school = rng.permutation(np.repeat(np.arange(clusters), sizes))
    rows = school.size
    intercept, slope, other = 0.4 * rng.standard_normal((3, clusters))
    x = rng.standard_normal(rows)
    treat = rng.integers(0, 2, clusters)[school]
    age = rng.standard_normal(rows) + 0.5 * rng.standard_normal(clusters)[school]
    kind = rng.integers(0, 3, rows)
    score = 0.3 * x + 0.3 * treat + 0.3 * age + 0.2 * (kind == 1) + rng.standard_normal(rows)
    score += intercept[school] + slope[school] * x + other[school] * age
    names = np.array([f"school {number}" for number in range(clusters)])
    columns = {"score": score, "x": x, "treat": treat, "age": age}
    columns |= {"kind": np.array(["a", "b", "c"])[kind], "school": names[school]}
    return pd.DataFrame(columns)


def analysed(
    table: pd.DataFrame, coefficients: int, entry: Mapping[str, Any], clock: Clock
) -> None:
    """Fit one strategy to a table, with the clock running; the fit must give numbers."""
    with clock.part(READ):
        shard = design_from_table(table, FORMULAS[coefficients], "school").shard
    strategy = Strategy.parse(entry)
    with clock.part(TRIANGLES):
        shard.triangles  # noqa: B018  (kept by the shard)
    with clock.part(FIT):
        fits = strategy.fit(shard)
        estimates_table(fits, shard.terms, [0], strategy.label, strategy.engine)
    if not np.isfinite(fits.estimate).any():
        raise RuntimeError(f"{strategy.label}: {fits.message[0]}")


def by_lme4(table: pd.DataFrame, strategy: str) -> dict[str, Any]:
    """Fit by lme4 alone, without degrees of freedom, in a process of R."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "table")
        codes = pd.factorize(table["school"])[0]
        numbers = table[["score", "x", "treat", "age"]].assign(school=codes)
        numbers.to_numpy(dtype="<f8").ravel(order="F").tofile(file)
        script = REPO / "benchmarks" / "lme4_fit.R"
        used, said = run(["Rscript", str(script), str(file), str(len(table)), LME4[strategy]])
    return {"seconds": {FIT: float(said.split()[-1])}, "peak": used.peak}


def main() -> None:
    """Analyse with the clock running and print what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clusters", type=int)
    parser.add_argument("coefficients", type=int)
    parser.add_argument("entry", type=json.loads, help="as in the config, in JSON")
    options = parser.parse_args()
    if options.entry.get("engine") == "lme4 alone":
        table = draw(options.clusters)
        answer = by_lme4(table, options.entry["strategy"])
    else:
        analysed(draw(WARM_UP), options.coefficients, options.entry, Clock())
        clock, table = Clock(), draw(options.clusters)
        analysed(table, options.coefficients, options.entry, clock)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT
        answer = {"seconds": clock.seconds, "peak": peak}
    print(json.dumps({"rows": len(table), **answer}))


if __name__ == "__main__":
    main()

"""Any one dataset of a study again: the data, the truth, every strategy's fit, a script for R."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from clustrategy.core.cells import read_sim_path, sim_path
from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.mixed.models import formula, random_columns
from clustrategy.tables.datasets import datasets_table, truth_table
from clustrategy.tables.estimates import estimates_table, fits_table
from clustrategy.tables.files import write_csv, write_parquet, write_text

FILES = ("dataset.csv", "dataset.parquet", "truth.csv", "estimates.csv", "fits.csv", "lme4.R")

_R = """\
# The dataset beside this script, as R's users analyse it: Rscript lme4.R
# {place}
suppressPackageStartupMessages(library(lmerTest))
data <- read.csv("dataset.csv")
data$cluster <- factor(data$cluster)

maximal <- lmer({maximal}, data)
print(summary(maximal))
intercept <- lmer({intercept}, data)
print(summary(intercept))

# lme4 keeps theta's diagonal at or above zero and at times stops there, above the optimum. The
# same criterion without bounds:
parsed <- lFormula({maximal}, data)
criterion <- do.call(mkLmerDevfun, parsed)
start <- parsed$reTrms$theta + 0
free <- nlminb(start, criterion, control = list(rel.tol = 1e-14, eval.max = 5000, iter.max = 5000))
cat("REML criterion: lmer", format(REMLcrit(maximal), digits = 12), "- without bounds",
    format(free$objective, digits = 12), "\\n")

# Least squares, and the mean of each cluster's own coefficients
print(summary(lm({fixed}, data)))
own <- sapply(split(data, data$cluster), function(one) coef(lm({fixed}, one)))
print(t(apply(own, 1, function(b) c(estimate = mean(b), std_error = sd(b) / sqrt(length(b))))))
"""


def remake(
    job: Mapping[str, Any], strategies: Sequence[Mapping[str, Any]], folder: str | Path
) -> None:
    """Write `FILES` into a folder.

    Parameters
    ----------
    job : `study`, `seed` and `dgp`.
    strategies : the entries of the study.
    folder : ends as `sim_path` writes it, which says what is drawn.
    """
    folder = Path(folder)
    cell, sim = read_sim_path(str(folder))
    drawn = simulate(Process(**{**job["dgp"], **cell}), job["seed"], cell, [sim])
    terms = drawn.shard.terms
    data = datasets_table(drawn.shard, [sim])
    estimates, fits = [], []
    for strategy in map(Strategy.parse, strategies):
        found = strategy.fit(drawn.shard)
        name = (strategy.label, strategy.engine)
        estimates.append(estimates_table(found, terms, [sim], *name))
        fits.append(fits_table(found, [sim], *name))
    glance = pa.concat_tables(fits)
    theta = [" ".join(map(repr, values)) for values in glance["theta"].to_pylist()]
    glance = glance.set_column(glance.column_names.index("theta"), "theta", pa.array(theta))
    write_parquet(data, folder / "dataset.parquet", {})
    write_csv(data, folder / "dataset.csv")
    write_csv(truth_table(drawn.truth, terms, [sim]), folder / "truth.csv")
    write_csv(pa.concat_tables(estimates), folder / "estimates.csv")
    write_csv(glance, folder / "fits.csv")
    maximal = np.flatnonzero(random_columns(drawn.shard)[0]).tolist()
    script = _R.format(
        place=f"study {job['study']}, {sim_path(cell, sim)}",
        fixed=f"DV ~ {' + '.join(terms[1:])}",
        maximal=formula(drawn.shard, terms, maximal, "DV"),
        intercept=formula(drawn.shard, terms, [0], "DV"),
    )
    write_text(script, folder / "lme4.R")

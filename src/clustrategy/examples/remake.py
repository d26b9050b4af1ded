"""Any one dataset of a study again: the data, the truth, every strategy's fit, a script for R."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from clustrategy.core.cells import Level, sim_path
from clustrategy.core.shard import Shard
from clustrategy.dgp.drawn import AnyProcess, draw
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.mixed.models import formula, random_columns
from clustrategy.tables.datasets import datasets_table, truth_table
from clustrategy.tables.estimates import NULLS, estimates_table, fits_table

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


@dataclass(frozen=True)
class Remade:
    """One dataset and what the strategies make of it.

    Attributes
    ----------
    dataset, truth, estimates, fits : Table
        The rows of the sim as the study has them; theta as text among the fits, and the estimates
        without the p-values of further null values.
    script : str
        A script that analyses `dataset.csv` beside it in R.
    """

    dataset: pa.Table
    truth: pa.Table
    estimates: pa.Table
    fits: pa.Table
    script: str


def remake(
    study: str,
    process: AnyProcess,
    seed: int,
    cell: Mapping[str, Level],
    sim: int,
    strategies: Sequence[Strategy],
) -> Remade:
    """Draw a dataset of a study again and fit its strategies to it.

    Parameters
    ----------
    study : str
        The study's name.
    process : Process or GivenProcess
        The data-generating process of the cell.
    seed : int
        The study's seed.
    cell : Mapping
        The levels of the cell.
    sim : int
        The sim.
    strategies : Sequence of Strategy
        The study's strategies.
    """
    drawn = draw(process, seed, cell, [sim])
    terms = drawn.shard.terms
    estimates, fits = [], []
    for strategy in strategies:
        found = strategy.fit(drawn.shard)
        name = (strategy.label, strategy.engine)
        estimates.append(estimates_table(found, terms, [sim], *name))
        fits.append(fits_table(found, [sim], *name))
    glance = pa.concat_tables(fits)
    theta = [" ".join(map(repr, values)) for values in glance["theta"].to_pylist()]
    return Remade(
        datasets_table(drawn.shard, [sim]),
        truth_table(drawn.truth, terms, [sim]),
        pa.concat_tables(estimates).drop_columns(NULLS),
        glance.set_column(glance.column_names.index("theta"), "theta", pa.array(theta)),
        _script(drawn.shard, f"study {study}, {sim_path(cell, sim)}"),
    )


def _script(shard: Shard, place: str) -> str:
    maximal = np.flatnonzero(random_columns(shard)[0]).tolist()
    return _R.format(
        place=place,
        fixed=f"DV ~ {' + '.join(shard.terms[1:])}",
        maximal=formula(shard, shard.terms, maximal, "DV"),
        intercept=formula(shard, shard.terms, [0], "DV"),
    )

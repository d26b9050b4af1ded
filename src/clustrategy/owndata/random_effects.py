"""The random effects of fitted mixed models: how they vary, and those of every cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.design.from_table import Design
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.first_stage import FirstStage
from clustrategy.estimation.mixed.conditional_modes import (
    conditional_modes,
    relative_factor,
    variance_components,
)
from clustrategy.strategies.mixed import model_of

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "strategy",
    "cluster",
    "rows",
    "term",
    "ols_estimate",
    "ols_std_error",
    "random_effect",
    "random_effect_std_error",
    "coefficient",
]


@dataclass(frozen=True)
class _Random:
    """The random effects of a fit: which columns of X, and the relative Cholesky factor."""

    columns: Ints
    factor: Floats
    correlated: bool


def _random(strategy: Strategy, shard: Shard, fits: Fits) -> _Random | None:
    """Return the random effects of a usable fit of a mixed model that names them."""
    model = model_of(strategy.name, strategy.options)
    if model is None or fits.status[0] not in ("ok", "singular"):
        return None
    columns = np.flatnonzero(model.random(shard)[0])
    factor = relative_factor(fits.theta[0], columns.size, model.correlated)
    return _Random(columns, factor, model.correlated)


def components(strategy: Strategy, shard: Shard, fits: Fits) -> dict[str, float]:
    """Return the standard deviations and correlations of a strategy's random effects.

    Parameters
    ----------
    strategy, shard, fits : Strategy, Shard, Fits
        What was fitted to one dataset.

    Returns
    -------
    dict
        By broom.mixed's names; empty of an unusable fit, and of a strategy without random effects
        or whose random effects the data choose.
    """
    random = _random(strategy, shard, fits)
    if random is None:
        return {}
    names = [shard.terms[column] for column in random.columns]
    return variance_components(names, random.factor, float(fits.sigma[0]), random.correlated)


def random_terms(strategy: Strategy, shard: Shard) -> list[str]:
    """Return the random coefficients of a mixed model that names them; none of any other."""
    model = model_of(strategy.name, strategy.options)
    if model is None:
        return []
    return [shard.terms[column] for column in np.flatnonzero(model.random(shard)[0])]


def effects_by_cluster(
    design: Design, strategies: Sequence[Strategy], fits: Sequence[Fits]
) -> pd.DataFrame:
    """Return the coefficients of every cluster by every mixed model.

    Parameters
    ----------
    design : Design
        The table.
    strategies, fits : sequence of Strategy and of Fits
        What was fitted to it.

    Returns
    -------
    DataFrame
        As `Analysis.cluster_coefficients` has it; without rows where there is no mixed model.
    """
    import pandas as pd

    shard = design.shard
    estimate, std_error = _own(shard)
    parts = []
    for strategy, fit in zip(strategies, fits, strict=True):
        random = _random(strategy, shard, fit)
        if random is None:
            continue
        found = conditional_modes(
            shard.triangles[0],
            random.columns,
            fit.estimate[0],
            random.factor,
            float(fit.sigma[0]),
        )
        G, q = found.mode.shape
        parts.append(
            pd.DataFrame(
                {
                    "strategy": strategy.label,
                    "cluster": np.repeat(np.asarray(design.names, dtype=object), q),
                    "rows": np.repeat(shard.n[0], q),
                    "term": np.tile([shard.terms[column] for column in random.columns], G),
                    "ols_estimate": estimate[:, random.columns].ravel(),
                    "ols_std_error": std_error[:, random.columns].ravel(),
                    "random_effect": found.mode.ravel(),
                    "random_effect_std_error": found.std_error.ravel(),
                    "coefficient": (fit.estimate[0, random.columns] + found.mode).ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _own(shard: Shard) -> tuple[Floats, Floats]:
    """Return the coefficients of the clusters' own regressions and their standard errors, (G, p).

    NaN where a cluster cannot carry one, and for predictors that are constant within clusters.
    """
    estimate, std_error = np.full((2, shard.clusters, shard.p), np.nan)
    stage = next(FirstStage.of(shard))
    carries = stage.solvable[0]
    places = np.ix_(carries, stage.own)
    estimate[places] = stage.coefficients[0][carries]
    std_error[places] = np.sqrt(stage.variances[0][carries])
    return estimate, std_error

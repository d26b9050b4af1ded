"""The random effects of fitted mixed models: how they vary, and those of every cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Shard
from clustrategy.design.from_table import Design
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.mixed.conditional_modes import conditional_modes
from clustrategy.estimation.mixed.random_coefficients import RESIDUAL, RandomCoefficients, absence
from clustrategy.estimation.own_coefficients import own_coefficients
from clustrategy.strategies.mixed import has_columns_beside

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


def components(shard: Shard, fits: Fits) -> dict[str, float]:
    """Return the standard deviations and correlations of a strategy's random effects.

    Parameters
    ----------
    shard, fits : Shard, Fits
        One dataset and what a strategy made of it.

    Returns
    -------
    dict
        By broom.mixed's names; empty of an unusable fit, and of a strategy without random effects.
    """
    if absence(fits):
        return {}
    spread = RandomCoefficients.of(fits).components(shard.terms)
    return {name: value for name, value in spread.items() if name != RESIDUAL}


def random_terms(shard: Shard, fits: Fits) -> list[str]:
    """Return the random coefficients of a fit; none where it is no mixed model."""
    return [shard.terms[column] for column in np.flatnonzero(fits.random[0])]


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
        As `Analysis.cluster_coefficients` has it; without rows where there is no mixed model, and
        of those with columns beside their own, on whose coefficients the random effects hang.
    """
    import pandas as pd

    shard = design.shard
    own = own_coefficients(shard)
    parts = []
    for strategy, fit in zip(strategies, fits, strict=True):
        if absence(fit) or has_columns_beside(strategy.options):
            continue
        found = conditional_modes(shard, fit)
        G, q = found.mode.shape
        columns = found.columns
        parts.append(
            pd.DataFrame(
                {
                    "strategy": strategy.label,
                    "cluster": np.repeat(np.asarray(design.names, dtype=object), q),
                    "rows": np.repeat(shard.n[0], q),
                    "term": np.tile(random_terms(shard, fit), G),
                    "ols_estimate": own.estimate[0][:, columns].ravel(),
                    "ols_std_error": own.std_error[0][:, columns].ravel(),
                    "random_effect": found.mode.ravel(),
                    "random_effect_std_error": found.std_error.ravel(),
                    "coefficient": (fit.estimate[0, columns] + found.mode).ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)

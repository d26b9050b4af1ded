"""The verdict on each pair of fits: agreement, or whose fault the difference is.

`verdicts` says what each verdict means.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clustrategy.audit.distance import Numbers, distance
from clustrategy.audit.tolerances import (
    CRITERION,
    DF,
    EQUALLY_GOOD,
    ESTIMATE,
    LEAST_SQUARES,
    SHORT,
    STD_ERROR,
    VANISHING,
)
from clustrategy.core.fits import Fits
from clustrategy.core.shard import Floats, Shard
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.least_squares import solve
from clustrategy.estimation.mixed.fit import NO_MINIMUM, at_theta
from clustrategy.estimation.mixed.models import MixedModel
from clustrategy.strategies.mixed import model_of


def has_numbers(fits: Fits) -> NDArray[np.bool_]:
    """Return (S,) which fits gave finite estimates and standard errors, converged or not.

    A coefficient that a strategy does not estimate, or cannot test, needs none.
    """
    return np.asarray((np.isfinite(fits.estimate) & np.isfinite(fits.std_error)).any(axis=1))


def best_criterion(fits: Sequence[Fits]) -> Floats:
    """Return (S,) the least REML criterion of all engines, NaN where none gave one."""
    values = np.array([np.where(has_numbers(one), one.reml_criterion, np.inf) for one in fits])
    least = values.min(axis=0)
    return np.where(np.isfinite(least), least, np.nan)


def judge(
    shard: Shard, strategy: Strategy, found: Fits, reference: Fits, best: Floats
) -> NDArray[np.object_]:
    """Return the verdict on each of S datasets.

    Parameters
    ----------
    shard : Shard
        The datasets.
    strategy : Strategy
        What was fitted.
    found, reference : Fits
        The fits of the audited engine and of the reference.
    best : (S,) array
        The least REML criterion of all engines, as `best_criterion` gives it.
    """
    out = np.full(shard.sims, "agree", dtype=object)
    ours = has_numbers(found) & np.isin(found.status, ("ok", "singular"))
    theirs = has_numbers(reference)
    out[ours & ~theirs] = "reference_failed"
    sure = theirs & np.isin(reference.status, ("ok", "singular"))
    out[~ours] = "both_failed"
    out[~ours & sure] = "engine_failed"
    both = ours & theirs
    model = model_of(strategy.name, strategy.options)
    if model is None:
        apart = _apart(found, reference, LEAST_SQUARES, LEAST_SQUARES)
        tested = ~np.isnan(found.std_error)
        out[both & (apart | _df_apart(found, reference, LEAST_SQUARES, tested))] = "differ"
        return out
    endless = sure & (found.message == NO_MINIMUM)
    if endless.any():
        out[endless & _vanishing(shard, reference)] = "reference_short"
    excess, own = (fits.reml_criterion - best for fits in (reference, found))
    out[both & (excess > CRITERION)] = "reference_slack"
    apart = _apart(found, reference, ESTIMATE, STD_ERROR)
    df_apart = (out == "agree") & _df_apart(found, reference, DF)
    disputed = both & (apart | df_apart)
    if disputed.any():
        out[disputed] = "differ"
        (right, df_right), (their_right, their_df_right) = (
            _right_at_their_theta(shard, model, fits, disputed) for fits in (found, reference)
        )
        by_theta = disputed & right & df_right & their_right & (own <= excess + EQUALLY_GOOD)
        out[by_theta & (apart | their_df_right)] = "reference_slack"
        out[by_theta & ~apart & ~their_df_right] = "reference_df"
    out[both & (excess > SHORT)] = "reference_short"
    out[ours & (own > CRITERION)] = "engine_short"
    return out


def _right_at_their_theta(
    shard: Shard, model: MixedModel, fits: Fits, wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return (S,) which fits have the numbers, and which the df, that their own theta gives.

    The numbers are criterion, estimates and standard errors. Whether theta is the optimum is
    another question.
    """
    placed = wanted & np.isfinite(fits.theta).any(axis=1)
    exact = at_theta(shard, model, fits.theta, placed)
    off = np.abs(exact.reml_criterion - fits.reml_criterion)
    numbers = ~_apart(exact, fits, ESTIMATE, STD_ERROR) & (off <= CRITERION)
    return numbers, ~_df_apart(exact, fits, DF)


def _vanishing(shard: Shard, fits: Fits) -> NDArray[np.bool_]:
    """Return (S,) whether the residual variance is below `VANISHING` of that of least squares."""
    whole = solve(shard).residual_ss / shard.n_obs
    return np.asarray(fits.sigma * fits.sigma < VANISHING * whole)


def _apart(found: Fits, reference: Fits, estimate: float, std_error: float) -> NDArray[np.bool_]:
    """Return (S,) whether any estimate or standard error is further apart than tolerated.

    So is an estimate that one of the two lacks.
    """
    away = distance(Numbers.of(found), Numbers.of(reference))
    alone = np.isfinite(found.estimate) != np.isfinite(reference.estimate)
    beyond = (away.estimate > estimate) | (away.std_error > std_error) | alone
    return np.asarray(beyond.any(axis=1))


def _df_apart(
    found: Fits, reference: Fits, df: float, where: NDArray[np.bool_] | bool = True
) -> NDArray[np.bool_]:
    """Return (S,) whether any degrees of freedom are further apart than tolerated, or missing."""
    away = distance(Numbers.of(found), Numbers.of(reference)).df
    alone = np.isnan(found.df) != np.isnan(reference.df)
    return np.asarray((((away > df) | alone) & where).any(axis=1))

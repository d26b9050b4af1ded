"""How far an engine and a reference agree on the same datasets, and whose fault a difference is.

The reference is not the truth: lme4 stops short of the optimum at times, and lmerTest's numerical
derivatives give wrong degrees of freedom now and then. So a mixed model is compared with lme4 as
its users get it and with lme4 optimised without bounds, and each difference has a verdict:

agree
    All within the `bounds`.
reference_short
    The reference's REML criterion is above the least of all engines by more than `SHORT`, or has
    no minimum, falls for ever as the residual variance goes to zero, and the reference stopped on
    the way.
reference_slack
    Above by no more than `SHORT`, within its optimiser's own tolerance. Where numbers are apart,
    it is because theta is: at the reference's own theta the engine's formulas give the reference's
    criterion, estimates and standard errors.
reference_df
    All agree but the degrees of freedom, and exact derivatives at the reference's own theta show
    that it is the reference's that are off.
reference_failed, both_failed
    The reference gave no numbers; neither gave a fit that it stands by.
engine_short, engine_failed, differ
    The engine's criterion is above the least by more than `CRITERION`; it gave no numbers where
    the reference did; numbers are beyond the bounds and the reference's theta does not explain it,
    or the engine's own, no better, does. These are the engine's fault, and a run ends with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustrategy.audit.tolerances import (
    CRITERION,
    DF,
    ESTIMATE,
    LEAST_SQUARES,
    ROUNDING,
    SHORT,
    STD_ERROR,
)
from clustrategy.core.errors import ConfigError, EngineError
from clustrategy.core.fits import Fits
from clustrategy.core.shard import Floats, Shard
from clustrategy.engines.chosen import Strategy, registry
from clustrategy.estimation.least_squares import solve
from clustrategy.estimation.mixed.fit import NO_MINIMUM, at_theta
from clustrategy.estimation.mixed.models import MODELS
from clustrategy.strategies.registry import DEFAULT_ENGINE

REASONS = (
    "reference_slack",
    "reference_short",
    "reference_df",
    "reference_failed",
    "both_failed",
)
FAULTS = ("engine_short", "engine_failed", "differ")
MIXED_REFERENCES = {"lme4": ("lme4", "lme4_unbounded"), "glmm": ("glmm",)}
LEAST_SQUARES_REFERENCE = "statsmodels"
VANISHING = 1e-2


def audited(strategy: Strategy, engine: str) -> Strategy:
    """What is audited in the name of a study's strategy: it, or the default engine's in its place.

    A reference cannot be audited by itself; where it is the study's engine, the default engine
    shows what it missed.
    """
    if strategy.engine in (*MIXED_REFERENCES[engine], LEAST_SQUARES_REFERENCE):
        return Strategy.parse({**strategy.spec, "engine": DEFAULT_ENGINE})
    return strategy


def references(strategy: Strategy, engine: str) -> list[Strategy]:
    """The references of a strategy, whether they can run here or not.

    Parameters
    ----------
    strategy : an entry of a study.
    engine : the reference of mixed models, a key of `MIXED_REFERENCES`.
    """
    known = registry()[strategy.name]
    names = MIXED_REFERENCES[engine] if engine in known else (LEAST_SQUARES_REFERENCE,)
    found = []
    for name in names:
        try:
            found.append(Strategy.parse({**strategy.brief, "engine": name}))
        except ConfigError:  # the reference does not have this strategy, or not with these options
            continue
    return found


def plan(
    strategies: Sequence[Strategy], engine: str
) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """The references that can run here, by label, and why others cannot, empty where all can.

    Returns
    -------
    Entries as `Strategy.spec` gives them, and one sentence.
    """
    entries: dict[str, list[dict[str, Any]]] = {}
    missing = ""
    for strategy in strategies:
        entries[strategy.label] = []
        for reference in references(strategy, engine):
            try:
                reference.check()
            except EngineError as error:
                missing = missing or str(error)
            else:
                entries[strategy.label].append(reference.spec)
    return entries, missing


def is_mixed(strategy: Strategy) -> bool:
    """Whether a strategy's fits have a REML criterion."""
    return strategy.name in MODELS


def has_numbers(fits: Fits) -> NDArray[np.bool_]:
    """(S,) which fits gave finite estimates and standard errors, converged or not.

    Of a coefficient that a strategy does not estimate, or cannot test, they need not.
    """
    return np.asarray((np.isfinite(fits.estimate) & np.isfinite(fits.std_error)).any(axis=1))


def best_criterion(fits: Sequence[Fits]) -> Floats:
    """(S,) the least REML criterion of all engines, NaN where none gave one."""
    values = np.array([np.where(has_numbers(one), one.reml_criterion, np.inf) for one in fits])
    least = values.min(axis=0)
    return np.where(np.isfinite(least), least, np.nan)


def verdicts(
    shard: Shard, strategy: Strategy, found: Fits, reference: Fits, best: Floats
) -> NDArray[Any]:
    """(S,) the verdict on each dataset.

    Parameters
    ----------
    shard : the datasets.
    strategy : what was fitted.
    found, reference : the fits of the audited engine and of the reference.
    best : (S,) as `best_criterion` gives it over all engines.
    """
    out = np.full(shard.sims, "agree", dtype=object)
    ours = has_numbers(found) & np.isin(found.status, ("ok", "singular"))
    theirs = has_numbers(reference)
    out[~ours & ~theirs] = "both_failed"
    out[ours & ~theirs] = "reference_failed"
    sure = theirs & np.isin(reference.status, ("ok", "singular"))
    out[~ours & theirs] = "both_failed"
    out[~ours & sure] = "engine_failed"
    both = ours & theirs
    if not is_mixed(strategy):
        apart = _apart(found, reference, LEAST_SQUARES, LEAST_SQUARES)
        df = np.where(np.isnan(found.std_error), reference.df, found.df)
        out[both & (apart | (_relative(df, reference.df) > LEAST_SQUARES))] = "differ"
        return out
    endless = sure & (found.message == NO_MINIMUM)
    if endless.any():
        out[endless & _vanishing(shard, reference)] = "reference_short"
    excess, own = (fits.reml_criterion - best for fits in (reference, found))
    out[both & (excess > CRITERION)] = "reference_slack"
    apart = _apart(found, reference, ESTIMATE, STD_ERROR)
    df_off = (out == "agree") & (_relative(found.df, reference.df) > DF)
    disputed = both & (apart | df_off)
    if disputed.any():
        out[disputed] = "differ"
        (right, df_right), (their_right, their_df_right) = (
            _right_at_their_theta(shard, strategy, fits, disputed) for fits in (found, reference)
        )
        by_theta = disputed & right & df_right & their_right & (own <= excess + ROUNDING)
        out[by_theta & (apart | their_df_right)] = "reference_slack"
        out[by_theta & ~apart & ~their_df_right] = "reference_df"
    out[both & (excess > SHORT)] = "reference_short"
    out[ours & (own > CRITERION)] = "engine_short"
    return out


def _right_at_their_theta(
    shard: Shard, strategy: Strategy, fits: Fits, wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(S,) which fits' criterion, estimates and standard errors are those of their own theta.

    And (S,) which degrees of freedom are. Whether theta is the optimum is another question.
    """
    placed = wanted & np.isfinite(fits.theta).any(axis=1)
    exact = at_theta(shard, MODELS[strategy.name], fits.theta, placed)
    off = np.abs(exact.reml_criterion - fits.reml_criterion)
    numbers = ~_apart(exact, fits, ESTIMATE, STD_ERROR) & (off <= CRITERION)
    return numbers, _relative(exact.df, fits.df) <= DF


def _vanishing(shard: Shard, fits: Fits) -> NDArray[np.bool_]:
    """(S,) whether the residual variance is below `VANISHING` of that of least squares."""
    whole = solve(shard).residual_ss / shard.n_obs
    return np.asarray(fits.sigma * fits.sigma < VANISHING * whole)


def _apart(found: Fits, reference: Fits, estimate: float, std_error: float) -> NDArray[np.bool_]:
    """(S,) whether estimates or standard errors are further apart than so much.

    Estimates count in units of themselves or of their standard error, whichever is larger.
    """
    unit = np.maximum(np.abs(found.estimate), found.std_error)
    shift = np.abs(found.estimate - reference.estimate) / unit
    spread = np.abs(reference.std_error / found.std_error - 1.0)
    other = np.isfinite(found.estimate) != np.isfinite(reference.estimate)
    shift, spread = (np.nan_to_num(part).max(axis=1) for part in (shift, spread))
    return np.asarray((shift > estimate) | (spread > std_error) | other.any(axis=1))


def _relative(found: Floats, reference: Floats) -> Floats:
    """(S,) the largest relative difference; infinite df are equal, and so are missing ones."""
    same = (found == reference) | (np.isnan(found) & np.isnan(reference))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(found / reference - 1.0))
    return np.nan_to_num(apart, nan=np.inf).max(axis=1)


def fault(verdict: Mapping[str, Any]) -> str:
    """What an engine did wrong, in words, from a row of the audit's table."""
    engine, reference = verdict["engine"], verdict["reference"]
    if verdict["verdict"] == "engine_short":
        above = verdict["reml_criterion"] - verdict["best_reml_criterion"]
        return f"its REML criterion is {above:.2g} above the least that was found"
    if verdict["verdict"] == "engine_failed":
        return f"{engine} says {verdict['status']!r} where {reference} has a fit"
    if np.isnan(verdict["reml_criterion"]):
        return f"{engine} and {reference} are apart"
    return f"{engine} and {reference} are apart although both are at the optimum"

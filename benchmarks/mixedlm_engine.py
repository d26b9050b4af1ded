"""Mixed models by mixedlm (PyPI), one more engine while a benchmark runs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np

from clustrategy.core.errors import EngineError
from clustrategy.core.fits import Fit, Fits, fit_each
from clustrategy.core.shard import Shard
from clustrategy.estimation.mixed.models import formula
from clustrategy.strategies.registry import strategy


def versions() -> dict[str, str]:
    """Return the version of the package that computes the numbers."""
    return {"mixedlm": version("mixedlm")}


def check() -> None:
    """Raise EngineError if mixedlm cannot be imported."""
    try:
        import mixedlm  # noqa: F401
    except ImportError as error:
        raise EngineError(f"the engine 'mixedlm' cannot be imported ({error})") from None


def fit_one(shard: Shard, random: Sequence[int]) -> Fit:
    """Fit `y ~ X + (Z | cluster)` by REML to the one dataset of a shard, Z columns of X."""
    import mixedlm
    import pandas as pd

    names = [f"x{column}" for column in range(shard.p)]
    data = pd.DataFrame(shard.X, columns=names)
    data["y"], data["cluster"] = shard.y, shard.cluster_codes(0).astype(str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = mixedlm.lmer(formula(shard, names, random), data)
        df = mixedlm.satterthwaite_df(fit).df
    std_error = np.sqrt(np.diagonal(fit.vcov()))
    estimate, std_error, df = (np.asarray(a, np.float64) for a in (fit.beta, std_error, df))
    return Fit(estimate, std_error, df)


def maximal(shard: Shard) -> Fits:
    """Fit random coefficients of every column of X."""
    return fit_each(shard, lambda one: fit_one(one, range(one.p)))


def intercept(shard: Shard) -> Fits:
    """Fit random coefficients of the first column of X alone."""
    return fit_each(shard, lambda one: fit_one(one, [0]))


ENGINE = "mixedlm"
FITS = {"mixed_maximal": maximal, "mixed_intercept": intercept}


def register() -> None:
    """Let the package know the engine."""
    for name, function in FITS.items():
        strategy(name, engine=ENGINE, check=check, versions=versions)(function)

"""Generalized estimating equations by statsmodels, as its users know them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Literal

import numpy as np

from clustrategy.core.fits import Fit, Fits, fit_each
from clustrategy.core.shard import Shard
from clustrategy.estimation import gee
from clustrategy.strategies.registry import strategy

SCORE_TOLERANCE = 1e-13
"""The size of the score at which the iterations end, in units of the data."""

COV_TYPES = {"robust": "robust", "mancl_derouen": "bias_reduced"}


def versions() -> dict[str, str]:
    """Return the version of the package that computes the numbers."""
    return {"statsmodels": version("statsmodels")}


@strategy("gee", engine="statsmodels", versions=versions, equivariant=True)
def fit_gee(
    shard: Shard,
    *,
    correlation: gee.Correlation = "exchangeable",
    variance: Literal["robust", "mancl_derouen"] = "robust",
    df: gee.Df = "normal",
) -> Fits:
    """Fit `GEE(y, X, groups, cov_struct=...).fit(cov_type=...)`; its own tests are `df: normal`.

    Its tolerance is on the size of the score, so it is given here in units of the data, and
    tighter than its default.

    Parameters
    ----------
    shard : Shard
        The datasets.
    correlation, variance, df : str
        As of the numpy engine, those that statsmodels has.

    Returns
    -------
    Fits
    """
    from statsmodels.genmod.cov_struct import Exchangeable, Independence
    from statsmodels.genmod.generalized_estimating_equations import GEE

    structure = {"exchangeable": Exchangeable, "independence": Independence}[correlation]

    def one_fit(one: Shard) -> Fit:
        model = GEE(one.y, one.X, one.cluster_codes(0), cov_struct=structure())
        size = np.linalg.norm(one.X) * np.linalg.norm(one.y)
        result = model.fit(
            maxiter=gee.MAX_ITERATIONS, ctol=SCORE_TOLERANCE * size, cov_type=COV_TYPES[variance]
        )
        alpha = float(result.cov_struct.dep_params or 0.0)
        if not -1.0 < alpha * (one.n.max() - 1) or not alpha < 1.0:
            nothing = np.full(one.p, np.nan)
            return Fit(nothing, nothing, nothing, "undefined", gee.NO_CORRELATION)
        return Fit(
            result.params,
            result.bse,
            np.repeat(gee.degrees(df, one), one.p),
            "ok" if result.converged else "not_converged",
            "" if result.converged else gee.ENDLESS,
            sigma=float(np.sqrt(result.scale)),
        )

    fits = Fits.blank(shard.sims, shard.p)
    gee.mark_undefined(shard, correlation, df, fits)
    return fit_each(shard, one_fit, fits)

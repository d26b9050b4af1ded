"""Mixed models by glmm (PyPI, Rust)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version

import numpy as np

from clustrategy.core.errors import EngineError
from clustrategy.core.fits import Fit, Fits
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.engines.one_by_one import fit_mixed
from clustrategy.estimation.least_squares import solve
from clustrategy.estimation.mixed.models import (
    INTERCEPT_ONLY,
    MAXIMAL,
    formula,
    given,
    is_singular,
)
from clustrategy.strategies.random import no_such_coefficient, twice
from clustrategy.strategies.registry import strategy

# Kinds of glmm's warnings: after the HARMLESS ones its numbers stand; those in CURVATURE are about
# the standard errors, all others (such as a variance at the limit of the search) about the optimum.
HARMLESS = frozenset(
    {
        "singular",
        "gradient_search_fallback",
        "exact_profile_fallback",
        "few_rows_for_random_effects",
        "ill_conditioned",
    }
)
CURVATURE = frozenset({"hessian_se_fallback", "se_unavailable", "satterthwaite_curvature"})


def versions() -> dict[str, str]:
    """Return the version of the package that computes the numbers."""
    return {"glmm": version("glmm")}


def check() -> None:
    """Check that glmm can be imported.

    Raises
    ------
    EngineError
        Where it cannot.
    """
    try:
        import glmm  # noqa: F401
    except ImportError as error:
        raise EngineError(
            f"the engine 'glmm' cannot be imported ({error}); its wheels are for Linux x86-64, "
            "macOS arm64 and Windows: elsewhere leave the engine to be 'numpy'"
        ) from None


def fit_one(shard: Shard, random: Sequence[int]) -> Fit:
    """Fit `y ~ X + (Z | cluster)` by REML to the one dataset of a shard.

    glmm gets the residuals of least squares, which leaves the model as it is: it loses digits on a
    response that is far from zero.

    Parameters
    ----------
    shard : Shard
        A shard of one dataset.
    random : sequence of int
        The columns of X that are Z's.

    Returns
    -------
    Fit
    """
    import glmm

    names = [f"x{column}" for column in range(shard.p)]
    data: dict[str, object] = {
        name: np.ascontiguousarray(x) for name, x in zip(names, shard.X.T, strict=True)
    }
    width = len(str(shard.clusters))
    labels = np.array([f"{g:0{width}d}" for g in range(shard.clusters)])
    centre = solve(shard).estimate[0]
    data |= {"y": shard.y - shard.X @ centre, "cluster": labels[shard.cluster_codes(0)]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = glmm.fit(data, formula(shard, names, random))
    message = "; ".join(f"{w['title']}: {w['message']}" for w in fit.warnings)
    kinds = {w["kind"] for w in fit.warnings}
    optimizer = not fit.converged or bool(kinds - HARMLESS - CURVATURE)
    hessian = bool(kinds & CURVATURE)
    beta = centre + fit.beta
    if not fit.converged:
        return Fit(beta, fit.se, fit.coef_df, "not_converged", message, optimizer_warning=True)
    theta = relative_factor(np.asarray(fit.varcorr[0], dtype=float) / fit.dispersion)
    singular = bool(is_singular(theta[None])[0])
    return Fit(
        beta,
        fit.se,
        fit.coef_df,
        "not_converged" if optimizer or hessian else "singular" if singular else "ok",
        message,
        singular=singular,
        optimizer_warning=optimizer,
        hessian_warning=hessian,
        reml_criterion=-2.0 * fit.loglik,
        sigma=float(np.sqrt(fit.dispersion)),
        theta=theta,
    )


def relative_factor(packed: Floats) -> Floats:
    """Return lme4's theta of a relative covariance matrix.

    A Cholesky factor that allows rank deficiency: a pivot at rounding level is 0 and so is its
    column.

    Parameters
    ----------
    packed : (k,) array
        The lower triangle of the matrix, by column.

    Returns
    -------
    (k,) array
        The lower triangle of its factor, by column.
    """
    q = int(np.sqrt(2 * packed.size + 0.25) - 0.5)
    rows, columns = np.triu_indices(q)[::-1]
    rest = np.zeros((q, q))
    rest[rows, columns] = packed
    scale = rest.diagonal().copy()
    factor = np.zeros((q, q))
    for k in range(q):
        if rest[k, k] > 1e-14 * scale[k]:
            factor[k:, k] = rest[k:, k] / np.sqrt(rest[k, k])
            rest[k:, k:] -= np.outer(factor[k:, k], factor[k:, k])
    return factor[rows, columns]


register = partial(strategy, engine="glmm", check=check, versions=versions, equivariant=True)


@register("mixed", refusal=twice, unsuited=no_such_coefficient)
def mixed(shard: Shard, *, random: tuple[str, ...] = (INTERCEPT,)) -> Fits:
    """Fit a mixed model in which the named coefficients differ between clusters, and correlate.

    Parameters
    ----------
    shard : Shard
        The datasets.
    random : tuple of str
        As of the numpy engine.

    Returns
    -------
    Fits
    """
    return fit_mixed(shard, given(random), fit_one)


@register("mixed_maximal")
def mixed_maximal(shard: Shard) -> Fits:
    """Fit random intercepts and slopes, with all their correlations."""
    return fit_mixed(shard, MAXIMAL, fit_one)


@register("mixed_intercept")
def mixed_intercept(shard: Shard) -> Fits:
    """Fit random intercepts alone."""
    return fit_mixed(shard, INTERCEPT_ONLY, fit_one)

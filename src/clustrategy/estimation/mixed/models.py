"""What the mixed-model strategies mean, whichever engine fits them.

`mixed_maximal` gives every cluster its own intercept and its own slope of every predictor that
varies within clusters (Barr, Levy, Scheepers & Tily 2013, JML 68, 255-278); `mixed_uncorrelated`
does so without correlations between them (Bates, Kliegl, Vasishth & Baayen 2015,
arXiv:1506.04967); `mixed_intercept` gives it an intercept alone. All by REML, with Satterthwaite's
degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.estimation.least_squares import NO_RESIDUAL, explained, solve
from clustrategy.estimation.proportional_columns import parents

SINGULAR_TOLERANCE = 1e-4
ONE_DF = "one residual degree of freedom cannot tell variances apart"

FitAll = Callable[[Shard, NDArray[np.bool_], Fits], None]


def random_columns(shard: Shard) -> NDArray[np.bool_]:
    """(S, p) which columns of X have coefficients that can differ between clusters.

    A column that is, within each cluster, a multiple of an earlier one is left out: a
    cluster-level predictor (a multiple of the intercept), or its product with a predictor that
    is there already.
    """
    return parents(shard.triangles[..., : shard.p]) == np.arange(shard.p)


def intercept_column(shard: Shard) -> NDArray[np.bool_]:
    """(S, p) that the intercept alone differs between clusters."""
    if INTERCEPT not in shard.terms:
        raise ValueError("a random intercept needs a model with an intercept")
    return np.broadcast_to(np.array(shard.terms) == INTERCEPT, (shard.sims, shard.p))


RANDOM = {
    "mixed_maximal": random_columns,
    "mixed_uncorrelated": random_columns,
    "mixed_intercept": intercept_column,
}
"""Of each model, which columns of X have random coefficients."""

CORRELATED = ("mixed_maximal", "mixed_intercept")
"""The models whose random coefficients may correlate with each other."""


def model(
    shard: Shard,
    names: Sequence[str],
    random: Sequence[int],
    response: str = "y",
    correlated: bool = True,
) -> str:
    """The model in lme4's notation, for the response, `cluster` and columns of the names given."""

    def side(columns: Sequence[int]) -> str:
        terms = [names[c] for c in columns if shard.terms[c] != INTERCEPT]
        has_intercept = any(shard.terms[c] == INTERCEPT for c in columns)
        return " + ".join(["1" if has_intercept else "0", *terms])

    blocks = [random] if correlated else [[column] for column in random]
    return " + ".join(
        [
            f"{response} ~ {side(range(shard.p))}",
            *(f"({side(block)} | cluster)" for block in blocks),
        ]
    )


def singular(theta: Floats, correlated: bool = True) -> NDArray[np.bool_]:
    """(S,) whether a diagonal element of L is below 1e-4, from theta (S, k); as lme4's isSingular.

    theta is the lower triangle of L by column, without correlations its diagonal alone.
    """
    if not correlated:
        return np.any(theta < SINGULAR_TOLERANCE, axis=1)
    q = int(np.sqrt(2 * theta.shape[1] + 0.25) - 0.5)
    diagonal = [column * q - column * (column - 1) // 2 for column in range(q)]
    return np.any(theta[:, diagonal] < SINGULAR_TOLERANCE, axis=1)


def fit_model(
    shard: Shard, name: str, fit: FitAll, wanted: NDArray[np.bool_] | None = None
) -> Fits:
    """Fit a model to the datasets.

    Parameters
    ----------
    name : a key of `RANDOM`.
    fit : as `register` takes it.
    wanted : (S,) which datasets; the others are left `undefined`. All by default.
    """
    random = RANDOM[name](shard)
    q = random.sum(axis=1)
    fits = unfitted(shard, random, int((q * (q + 1) // 2 if name in CORRELATED else q).max()))
    if wanted is not None:
        fits.fail(~wanted, "undefined", "not asked for")
    fit(shard, random, fits)
    return fits


def unfitted(shard: Shard, random: NDArray[np.bool_], theta: int) -> Fits:
    """Fits still to be made, but for those that cannot be.

    Parameters
    ----------
    random : (S, p) the columns of X that have random coefficients.
    theta : the length of theta.
    """
    fits = Fits.blank(shard.sims, shard.p, theta)
    if shard.clusters < 2:
        everywhere = np.ones(shard.sims, dtype=bool)
        fits.fail(everywhere, "undefined", "one cluster: a mixed model needs two")
    effects = shard.clusters * random.sum(axis=1)
    fits.fail(
        shard.n_obs <= effects,
        "undefined",
        [
            f"{rows} rows, not more than the {number} random effects"
            for rows, number in zip(shard.n_obs, effects, strict=True)
        ],
    )
    solution = solve(shard)
    fits.fail(~solution.defined, "undefined", "the predictors are linearly dependent")
    fits.fail(explained(shard.triangles, shard.n_obs, solution), "undefined", NO_RESIDUAL)
    fits.fail(shard.n_obs - shard.p < 2, "undefined", ONE_DF)
    parent = parents(shard.triangles[..., : shard.p])
    fixed = (parent[:, None] == np.arange(shard.p)[:, None]).sum(axis=2)
    most, G = np.where(random, fixed, 0).max(axis=1), shard.clusters
    fits.fail(
        most >= G,
        "undefined",
        [f"{G} clusters cannot carry a variance beside {k} cluster-level terms" for k in most],
    )
    return fits

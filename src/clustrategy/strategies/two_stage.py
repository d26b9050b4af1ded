"""Two-stage regression: least squares in every cluster, then a t test over the clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustrategy.dataset import Shard
from clustrategy.fits import Fits
from clustrategy.strategies import strategy
from clustrategy.strategies.least_squares import full_rank


@strategy("two_stage")
def two_stage(shard: Shard) -> Fits:
    """The mean of the clusters' own coefficients, SE = sd / sqrt(G), t with G - 1 df.

    Also called summary measures or the two-stage (Feldman 1988) or OLS-OLS approach (Mumford &
    Nichols 2009). Undefined where a cluster cannot carry a regression of its own; with hardly
    more rows than coefficients its estimates have no finite variance.
    """
    fits = Fits.blank(shard.sims, shard.p)
    p, G = shard.p, shard.clusters
    design = shard.triangles[..., :p, :p]
    carried = solvable(shard)
    design = np.where(carried[..., None, None], design, np.eye(p))
    coefficients = np.linalg.solve(design, shard.triangles[..., :p, p:])[..., 0]
    mean = coefficients.sum(axis=1) / G
    deviation = coefficients - mean[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (deviation * deviation).sum(axis=1) / np.float64(G - 1)
    fits.estimate[:] = mean
    fits.std_error[:] = np.sqrt(variance / G)
    fits.df[:] = G - 1.0
    mark_undefined(shard, fits, carried)
    return fits


def solvable(shard: Shard) -> NDArray[np.bool_]:
    """(S, G) whether a cluster can carry a regression of its own."""
    return (shard.n >= shard.p) & full_rank(shard.triangles[..., : shard.p, : shard.p])


def mark_undefined(shard: Shard, fits: Fits, solvable: NDArray[np.bool_]) -> None:
    """Fail the fits to datasets of one cluster, or with a cluster that is not solvable."""
    p, G = shard.p, shard.clusters
    small = (shard.n < p).sum(axis=1)
    fits.fail(
        small > 0,
        "undefined",
        [f"{k} of {G} clusters have fewer rows than the {p} coefficients" for k in small],
    )
    dependent = (~solvable).sum(axis=1)
    fits.fail(
        dependent > 0,
        "undefined",
        [f"the predictors are linearly dependent in {k} of {G} clusters" for k in dependent],
    )
    if G < 2:
        fits.fail(np.ones(shard.sims, dtype=bool), "undefined", "one cluster: two-stage needs two")

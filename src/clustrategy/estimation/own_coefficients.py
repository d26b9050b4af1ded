"""The coefficients of the clusters' own regressions, as far as their rows tell them.

A cluster can tell one coefficient and not another: where all of its rows are of one arm, the slope
of age but neither the intercept nor the effect of the arm.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.first_stage import FirstStage
from clustrategy.estimation.least_squares import RANK_TOLERANCE


class OwnCoefficients(NamedTuple):
    """Least squares in each of G clusters of S datasets.

    Attributes
    ----------
    estimate : (S, G, p) array
        NaN where `identified` is False.
    std_error : (S, G, p) array
        From the cluster's own residual variance; NaN, too, where it has no residual degree of
        freedom.
    identified : (S, G, p) array of bool
        Whether the cluster's rows tell the coefficient. Never of a predictor that is within every
        cluster a multiple of an earlier one, such as a cluster-level predictor: the earlier one's
        coefficients, the intercepts, contain it.
    """

    estimate: Floats
    std_error: Floats
    identified: NDArray[np.bool_]


def own_coefficients(shard: Shard) -> OwnCoefficients:
    """Fit every cluster by itself.

    The regressions are those of two-stage's first stage where a cluster can carry one; elsewhere
    they are made with as many dimensions as its rows have.

    Parameters
    ----------
    shard : Shard
        The datasets.

    Returns
    -------
    OwnCoefficients
    """
    estimate, std_error = np.full((2, shard.sims, shard.clusters, shard.p), np.nan)
    identified = np.zeros(estimate.shape, dtype=bool)
    for stage in FirstStage.of(shard):
        whole = stage.solvable
        known = np.repeat(whole[..., None], stage.own.size, axis=2)
        values = np.where(known, stage.coefficients, np.nan)
        errors = np.where(known, np.sqrt(stage.variances), np.nan)
        if not whole.all():
            values[~whole], errors[~whole], known[~whole] = _in_part(
                stage.joined[~whole], stage.n[~whole]
            )
        places = np.ix_(stage.sims, np.arange(shard.clusters), stage.own)
        estimate[places], std_error[places], identified[places] = values, errors, known
    return OwnCoefficients(estimate, std_error, identified)


def _in_part(triangles: Floats, n: Ints) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Fit clusters whose predictors are linearly dependent.

    A coefficient is identified if no combination of the predictors that is zero in every row
    has a share of it.

    Parameters
    ----------
    triangles : (c, k + 1, k + 1) array
        Triangular factors of `[X_g y_g]`.
    n : (c,) array of int
        Rows.

    Returns
    -------
    estimate, std_error : (c, k) array
    identified : (c, k) array of bool
    """
    X, y = triangles[:, :, :-1], triangles[:, :, -1]
    length = np.sqrt((X * X).sum(axis=1))
    unit = np.where(length > 0.0, length, 1.0)
    basis, sizes, axes = np.linalg.svd(X / unit[:, None], full_matrices=False)
    spanned = sizes > RANK_TOLERANCE * sizes[:, :1]
    inverse = np.where(spanned, 1.0 / np.where(spanned, sizes, 1.0), 0.0)
    along = (np.swapaxes(basis, 1, 2) @ y[..., None])[..., 0]
    residual = y - (basis @ np.where(spanned, along, 0.0)[..., None])[..., 0]
    df = n - spanned.sum(axis=1)
    variance = (residual * residual).sum(axis=1) / np.where(df > 0, df, np.nan)
    scaled = axes * inverse[..., None]
    share = np.sqrt(((axes * ~spanned[..., None]) ** 2).sum(axis=1))
    identified = share < RANK_TOLERANCE
    estimate = (along[:, None] @ scaled)[:, 0] / unit
    std_error = np.sqrt(variance[:, None] * (scaled * scaled).sum(axis=1)) / unit
    return (
        np.where(identified, estimate, np.nan),
        np.where(identified, std_error, np.nan),
        identified,
    )

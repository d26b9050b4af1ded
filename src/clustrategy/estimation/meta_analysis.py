"""Random-effects meta-analysis: effects whose sampling variances are known, by REML.

The model is b_g ~ N(z_g' gamma, v_g + tau^2), independent. With W = diag(1 / (v_g + tau^2)),
A = Z' W Z and P = W - W Z A^-1 Z' W the restricted log-likelihood has

    2 dl/dtau^2 = b' P P b - tr P,    2 d^2l/d(tau^2)^2 = tr P P - 2 b' P P P b

(Viechtbauer 2005, JEBS 30, 261-293; Raudenbush 2009 in Cooper, Hedges & Valentine, 295-315).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clustrategy.core.shard import Floats

TOLERANCE = 1e-13
"""The step of tau^2 at which the search ends, relative to the typical v_g + tau^2."""

NEWTON_STEPS = 30
MAX_STEPS = 100


@dataclass
class Pooled:
    """The weighted regression of each of M meta-analyses.

    Attributes
    ----------
    estimate : (M, q) array
        The coefficients gamma.
    covariance : (M, q, q) array
        A^-1.
    residual_ss : (M,) array
        The weighted sum of squared residuals.
    weights : (M, G) array
        1 / (v_g + tau^2).
    """

    estimate: Floats
    covariance: Floats
    residual_ss: Floats
    weights: Floats

    @property
    def variance(self) -> Floats:
        """(M, q) the diagonal of A^-1."""
        return np.ascontiguousarray(np.diagonal(self.covariance, axis1=1, axis2=2))


def pool(effect: Floats, variance: Floats, design: Floats) -> Pooled:
    """Fit meta-regressions with weights 1 / (v_g + tau^2), tau^2 by REML.

    Parameters
    ----------
    effect, variance : (M, G) array
        Effects and their sampling variances, above 0.
    design : (M, G, q) array
        Of full rank, q < G.

    Returns
    -------
    Pooled
    """
    basis, triangle = np.linalg.qr(design)
    orthonormal = np.ascontiguousarray(np.swapaxes(basis, 1, 2))
    weights = 1.0 / (variance + reml(effect, variance, orthonormal)[:, None])
    inverse = _inverse(_gram(orthonormal, weights))
    inside = _apply(inverse, _project(orthonormal, weights * effect))
    residual = effect - _combine(inside, orthonormal)
    root = _inverse(triangle)
    return Pooled(
        _apply(root, inside),
        root @ inverse @ np.swapaxes(root, 1, 2),
        (weights * residual * residual).sum(axis=1),
        weights,
    )


def reml(effect: Floats, variance: Floats, design: Floats) -> Floats:
    """Estimate tau^2 by REML.

    Parameters
    ----------
    effect, variance : (M, G) array
        Effects and their sampling variances.
    design : (M, q, G) array
        Its rows orthonormal.

    Returns
    -------
    (M,) array
        0 where the likelihood falls from there.

    Notes
    -----
    Newton's method with the observed information (Fisher's where that is not positive) inside a
    bracket that shrinks with every step; a step that leaves the bracket, and every step after
    `NEWTON_STEPS`, halves it, so the search always ends. It starts from the moment estimator of
    Hedges (1983), as metafor's `rma`.
    """
    G, q = effect.shape[1], design.shape[1]
    residual = effect - _combine(_project(design, effect), design)
    mean_square = (residual * residual).sum(axis=1) / (G - q)
    leverage = (design * design).sum(axis=1)
    tau2 = mean_square - ((1.0 - leverage) * variance).sum(axis=1) / (G - q)
    tau2 = np.maximum(tau2, 0.0)
    # Beyond `high` the score is negative: b'PPb <= RSS / (tau^2 + v_min)^2 and
    # tr P >= (G - q) / (tau^2 + v_max).
    largest = variance.max(axis=1)
    high = 0.5 * (mean_square + np.sqrt(mean_square * (mean_square + 4.0 * largest)))
    low = np.zeros(len(tau2))
    open_below = np.ones(len(tau2), dtype=bool)
    active = np.arange(len(tau2))
    for step in range(MAX_STEPS):
        here, v, Z = tau2[active], variance[active], design[active]
        score, curvature, scale = _derivatives(effect[active], v, Z, here)
        rising = score > 0
        low[active] = np.where(rising, here, low[active])
        high[active] = np.where(rising, high[active], here)
        open_below[active] &= ~rising
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = here + score / curvature
        below = moved < low[active]
        inside = ~below & (moved <= high[active])
        if step >= NEWTON_STEPS:
            inside[:] = False
        middle = 0.5 * (low[active] + high[active])
        moved = np.where(inside, moved, np.where(below & open_below[active], 0.0, middle))
        moved = np.where((here == 0.0) & ~rising, 0.0, moved)
        tau2[active] = moved
        active = active[np.abs(moved - here) > TOLERANCE * scale]
        if active.size == 0:
            break
    return tau2


def _derivatives(
    effect: Floats, variance: Floats, design: Floats, tau2: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return score and information (of 2 l) and the harmonic mean of the v_g + tau^2, (M,) each."""
    w = 1.0 / (variance + tau2[:, None])
    inverse = _inverse(_gram(design, w))

    def annihilated(x: Floats) -> Floats:
        return w * (x - _combine(_apply(inverse, _project(design, w * x)), design))

    once = annihilated(effect)
    twice = annihilated(once)
    inner = inverse @ _gram(design, w * w)
    leverage = w * (design * (inverse @ design)).sum(axis=1)
    score = (once * once).sum(axis=1) - (w * (1.0 - leverage)).sum(axis=1)
    expected = (w * w * (1.0 - 2.0 * leverage)).sum(axis=1)
    expected += (inner * np.swapaxes(inner, 1, 2)).sum(axis=(1, 2))
    observed = 2.0 * (once * twice).sum(axis=1) - expected
    return score, np.where(observed > 0, observed, expected), w.shape[1] / w.sum(axis=1)


def _inverse(matrix: Floats) -> Floats:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _gram(design: Floats, weights: Floats) -> Floats:
    """Return Z' diag(w) Z, (M, q, q)."""
    return (design[:, :, None] * (design * weights[:, None])[:, None]).sum(axis=-1)


def _project(design: Floats, x: Floats) -> Floats:
    return (design * x[:, None]).sum(axis=-1)


def _combine(coefficients: Floats, design: Floats) -> Floats:
    return (coefficients[..., None] * design).sum(axis=1)


def _apply(matrix: Floats, vector: Floats) -> Floats:
    return (matrix @ vector[..., None])[..., 0]

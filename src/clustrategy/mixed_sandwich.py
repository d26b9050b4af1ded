"""Cluster-robust variances of the fixed effects of a mixed model: CR2 and its degrees of freedom.

Bell & McCaffrey (2002, Survey Methodology 28, 169-181) and Pustejovsky & Tipton (2018, JBES 36,
672-683), the estimated V for both the weights' inverse and the working model, as clubSandwich
has it of a model fitted by lme4. Marginal residuals e_g = y_g - X_g beta; M is the inverse of
sum_g X_g' V_g^-1 X_g, B_g = V_g - X_g M X_g' the variance of e_g were V right, and
A_g = D_g' (D_g B_g D_g')^(-1/2) D_g with V_g = D_g' D_g, so that A_g B_g A_g' = V_g.
"""

from __future__ import annotations

import numpy as np

from clustrategy.dataset import Floats
from clustrategy.reml import Point

EIGENVALUE_TOLERANCE = 1e-12


def cr2(point: Point, triangles: Floats, contrasts: Floats) -> tuple[Floats, Floats]:
    """(S, k) CR2 variances of contrasts and (S, k) their Satterthwaite degrees of freedom.

    The variances are in the criterion's coordinates, in which the response is residual / scale:
    times `criterion.scale ** 2` they are those of the contrasts of X's coefficients.

    Parameters
    ----------
    point : at the optimum.
    triangles : (S, G, p + 1, p + 1) the clusters' triangles that `Criterion.of` was given; what
        is constant within what Z_g sees is pooled in the criterion.
    contrasts : (S, k, p) in the coordinates of J, as `satterthwaite` takes them.
    """
    criterion = point.criterion
    S, G, width, _ = triangles.shape
    p, q = criterion.p, criterion.q
    # The last row of a triangle is what X_g does not see: there B_g = V_g = I and X_g is zero.
    rows = triangles[:, :, :p].reshape(S, G * p, width)
    X = rows[..., :p] @ criterion.root
    y = rows[..., p:]
    explained = np.swapaxes(X, 1, 2) @ y / (criterion.nu + p)[:, None, None]
    e = (y - X @ explained) / criterion.scale[:, None, None] - X @ point.beta[..., None]
    H = (X[..., :q] @ point.factor).reshape(S, G, p, q)
    V = np.eye(p) + H @ np.swapaxes(H, 2, 3)
    lower = np.linalg.cholesky(V)
    # Whitened, V_g = lower lower': the variance of e is then I - U U' and X' V^-1 X is U' U.
    whitened = np.linalg.solve(
        lower, np.concatenate([X @ point.J, e], axis=2).reshape(S, G, p, p + 1)
    )
    U, e = whitened[..., :p], whitened[..., p:]
    weights = np.swapaxes(_adjustment(U, np.swapaxes(lower, 2, 3) @ lower), 2, 3) @ U
    w = weights @ np.swapaxes(contrasts, 1, 2)[:, None]
    scores = (np.swapaxes(w, 2, 3) @ e)[..., 0]
    return (scores * scores).sum(axis=1), _satterthwaite(U, w)


def _adjustment(U: Floats, spread: Floats) -> Floats:
    """(S, G, p, p) V_g^-1 A_g in whitened coordinates, lower' V_g^-1 A_g lower.

    That is (spread (I - U U') spread)^(-1/2) spread, with spread = lower' lower = D_g D_g'. The
    root is taken of the singular values of spread (I - U U')^(1/2), whose condition is the
    root's. Eigenvalues of I - U U' at zero (a predictor that lives in one cluster alone) are
    left out: the Moore-Penrose inverse, as clubSandwich takes.
    """
    p = U.shape[-1]
    values, vectors = np.linalg.eigh(np.eye(p) - U @ np.swapaxes(U, 2, 3))
    kept = values > EIGENVALUE_TOLERANCE
    half = vectors * np.sqrt(np.where(kept, values, 0.0))[..., None, :]
    left, singular, _ = np.linalg.svd(spread @ half)
    kept = np.arange(p) < kept.sum(axis=2)[..., None]
    inverse = np.where(kept, 1.0 / np.where(kept, singular, 1.0), 0.0)
    return (left * inverse[..., None, :]) @ np.swapaxes(left, 2, 3) @ spread


def _satterthwaite(U: Floats, w: Floats) -> Floats:
    """(S, k) degrees of freedom (tr P)^2 / tr(P^2) of the variances sum_g (w_g' e_g)^2.

    P_gh = w_g' (I - U U')_gh w_h: a diagonal less a matrix of rank p, so that both traces cost
    O(G p^2).
    """
    size = (w * w).sum(axis=2)
    inner = np.swapaxes(U, 2, 3) @ w
    overlap = (inner * inner).sum(axis=2)
    by_contrast = np.ascontiguousarray(np.moveaxis(inner, 3, 1))
    gram = np.swapaxes(by_contrast, 2, 3) @ by_contrast
    trace = (size - overlap).sum(axis=1)
    squared = (size * size - 2.0 * size * overlap).sum(axis=1) + (gram * gram).sum(axis=(2, 3))
    return trace * trace / squared

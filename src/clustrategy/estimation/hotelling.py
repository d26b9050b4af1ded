"""The approximate Hotelling test of several coefficients with a cluster-robust variance.

Pustejovsky & Tipton (2018, JBES 36, 672-683, section 3; their AHT, clubSandwich's HTZ). The
robust variance of q coefficients is V = sum_g s_g s_g' with s_g = w_g' e_g. Under the working
model, e ~ N(0, P) with P the projection on what the predictors leave, its expectation is
Omega = sum_g K_gg with

    K_gh = w_g' P_gh w_h = [g = h] w_g' w_g - N_g' N_h,    N_g = U_g' w_g,    P = I - U U',

q x q matrices. Omega^-1/2 V Omega^-1/2 is taken for a Wishart matrix over its degrees of freedom
eta, such that the sum of the variances of its elements is what it is for that:

    eta = q (q + 1) / sum_gh [(tr L_gh)^2 + tr(L_gh L_gh)],    L_gh = Omega^-1/2 K_gh Omega^-1/2,

and (eta - q + 1) / (eta q) b' V^-1 b is referred to F(q, eta - q + 1). For q = 1 eta is
Satterthwaite's. With n_g the p q elements of N_g, as they are turned by Omega^-1/2, the terms of
different clusters are (n_g' n_h)^2 and the same with indices changed: sums over g of n_g n_g', of
which each cluster takes those of the earlier ones. So the cost is O(G p^2 q^2) and nothing is
subtracted.
"""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats

ZERO_SHARE = 1e-10
"""A variance is zero whatever the response below this share of the model's."""

ELEMENTS_AT_ONCE = 2**21
"""How many products of elements of N_g are held at once."""


def hotelling_df(weights: Floats, inner: Floats) -> Floats:
    """Compute eta.

    Parameters
    ----------
    weights : (S, q, m, G) array
        w_g by its columns, in coordinates in which the coefficients' variance is the identity under
        the working model.
    inner : (S, q, p, G) array
        N_g by its columns.

    Returns
    -------
    (S,) array
        NaN where a variance is zero whatever the response.
    """
    return np.array([_eta(w, N) for w, N in zip(weights, inner, strict=True)])


def approximate_f(wald: Floats, q: int, eta: Floats) -> tuple[Floats, Floats]:
    """Compute F and its denominator's degrees of freedom from b' V^-1 b and eta, (S,) each.

    There is no test where the degrees of freedom are not positive.
    """
    den_df = eta - q + 1.0
    return den_df * wald / (eta * q), den_df


def _eta(weights: Floats, inner: Floats) -> float:
    q, p, G = inner.shape
    K = _products(weights) - _products(inner)
    omega = K.sum(axis=2)
    if not np.isfinite(omega).all():
        return np.nan
    values, vectors = np.linalg.eigh(omega)
    if values[0] <= ZERO_SHARE:
        return np.nan
    half = vectors / np.sqrt(values)
    L = np.einsum("sa,stg,tb->abg", half, K, half, optimize=True)
    total = (np.trace(L) ** 2).sum() + (L * L).sum()
    N = np.ascontiguousarray(np.einsum("sa,spg->gpa", half, inner, optimize=True))
    at_once = max(1, ELEMENTS_AT_ONCE // (p * q) ** 2)
    sums = np.zeros((1, p, q, p, q))
    for start in range(0, G, at_once):
        some = N[start : start + at_once]
        products = some[:, :, :, None, None] * some[:, None, None]
        both = products + np.swapaxes(products, 2, 4)
        earlier = np.cumsum(np.concatenate([sums, products]), axis=0)
        total += 2.0 * (earlier[:-1] * both).sum()
        sums = earlier[-1:]
    return q * (q + 1.0) / total


def _products(columns: Floats) -> Floats:
    """Return A_g' A_g, (q, q, G), of A_g given by its columns, (q, m, G)."""
    return (columns[:, None] * columns[None]).sum(axis=2)

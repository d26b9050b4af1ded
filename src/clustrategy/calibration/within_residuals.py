"""What is left of a table's rows when each cluster's random effects are taken out.

Of cluster g that is e_g = M_g (y_g - X_g beta), M_g the projection on what is orthogonal to the
columns of Z_g: whatever the random effects are, e_g does not depend on them, and its squares sum
to sigma^2 times its degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.estimation.meta_analysis import pool

DEPENDENT_SHARE = 1e-10
"""A direction of Z_g shorter than this share of the longest counts as none."""

ROUNDING_SHARE = 1e-20
"""A sum of squares that is a smaller share of that before the projection is rounding."""

LARGEST_AUTOCORRELATION = 0.99


@dataclass(frozen=True)
class WithinResiduals:
    """The residuals of N rows in G clusters.

    Attributes
    ----------
    residuals : (N,) array
        e, all clusters one after another.
    basis : (N, q) array
        Orthonormal columns that span Z_g, by cluster; columns of zeros where there are fewer.
    sizes, df : (G,) array of int
        Rows and degrees of freedom.
    squares : (G,) array
        e_g' e_g.
    """

    residuals: Floats
    basis: Floats
    sizes: Ints
    df: Ints
    squares: Floats

    @classmethod
    def of(cls, residuals: Floats, Z: Floats, sizes: Ints) -> WithinResiduals:
        """Take the random effects out.

        Parameters
        ----------
        residuals : (N,) array
            y - X beta.
        Z : (N, q) array
            The columns with random coefficients.
        sizes : (G,) array of int
            The rows of each cluster.

        Returns
        -------
        WithinResiduals
        """
        basis, left = np.zeros(Z.shape), residuals.copy()
        df, squares = sizes.copy(), np.zeros(sizes.size)
        start = 0
        for g, size in enumerate(sizes.tolist()):
            rows = slice(start, start + size)
            start += size
            vectors, lengths, _ = np.linalg.svd(Z[rows], full_matrices=False)
            vectors = vectors[:, lengths > DEPENDENT_SHARE * lengths.max(initial=0.0)]
            basis[rows, : vectors.shape[1]] = vectors
            df[g] -= vectors.shape[1]
            before = left[rows] @ left[rows]
            left[rows] -= vectors @ (vectors.T @ left[rows])
            squares[g] = left[rows] @ left[rows]
            if df[g] == 0 or squares[g] <= ROUNDING_SHARE * before:
                left[rows], squares[g] = 0.0, 0.0
        return cls(left, basis, sizes, df, squares)

    def variances_by_cluster(self) -> tuple[Floats, float] | None:
        """Estimate each cluster's variance, shrunken by empirical Bayes.

        The log of a cluster's mean square, less its bias, has the log variance for its mean and
        trigamma(df / 2) for its variance; log variances are normal among clusters, with a variance
        estimated by REML.

        Returns
        -------
        variances : (G,) array
            Up to a common factor; those of clusters without degrees of freedom or squares are the
            mean of the others on the log scale.
        spread : float
            The estimated standard deviation of the log variances among clusters.
            There is no estimate (None) where fewer than two clusters have one of their own.
        """
        from scipy.special import digamma, polygamma

        own = (self.df > 0) & (self.squares > 0.0)
        if own.sum() < 2:
            return None
        half = 0.5 * self.df[own]
        logs = np.log(self.squares[own] / 2.0) - digamma(half)
        noise = np.asarray(polygamma(1, half), dtype=np.float64)
        pooled = pool(logs[None], noise[None], np.ones((1, logs.size, 1)))
        mean, weights = float(pooled.estimate[0, 0]), pooled.weights[0]
        found = np.full(self.df.size, mean)
        found[own] += (1.0 - noise * weights) * (logs - mean)
        spread = float(np.sqrt(max((1.0 / weights - noise).mean(), 0.0)))
        return np.exp(found), spread

    def autocorrelation(self) -> float | None:
        """Estimate the correlation of successive rows of a cluster, by moments.

        Returns
        -------
        float or None
            The rho at which the lag-one products of e are to their squares as their expectations
            are under first-order autoregression, the projections taken into account; None where no
            rho within +- 0.99 does it, or no cluster has two rows and a degree of freedom.
        """
        from scipy.optimize import brentq

        neighbours = self._neighbours
        products = float((self.residuals[:-1] * self.residuals[1:])[neighbours].sum())
        squares = float(self.squares.sum())
        if squares == 0.0 or not (neighbours.any() and (self.df * (self.sizes > 1)).any()):
            return None

        def excess(rho: float) -> float:
            lagged, own = self._expected(rho)
            return products * own - lagged * squares

        low, high = -LARGEST_AUTOCORRELATION, LARGEST_AUTOCORRELATION
        if excess(low) <= 0.0 or excess(high) >= 0.0:
            return None
        return float(brentq(excess, low, high, xtol=1e-10))

    @property
    def _neighbours(self) -> np.ndarray:
        """(N - 1,) whether a row and the next one are of the same cluster."""
        ends = np.cumsum(self.sizes)[:-1] - 1
        same = np.ones(self.residuals.size - 1, dtype=bool)
        same[ends] = False
        return same

    def _expected(self, rho: float) -> tuple[float, float]:
        """Return the expectations of e'Ae and e'e under autoregression, over sigma^2.

        A has halves beside its diagonal, V is the correlation matrix; with M = I - QQ',
        tr MAMV = tr AV - 2 tr Q'AVQ + tr Q'AQ Q'VQ and tr MV = N - tr Q'VQ.
        """
        Q, same = self.basis, self._neighbours
        AQ, VQ = np.zeros(Q.shape), self._times_correlations(Q, rho)
        AQ[:-1] += 0.5 * Q[1:] * same[:, None]
        AQ[1:] += 0.5 * Q[:-1] * same[:, None]
        starts = np.cumsum(self.sizes) - self.sizes
        QAQ = np.add.reduceat(Q[:, :, None] * AQ[:, None], starts)
        QVQ = np.add.reduceat(Q[:, :, None] * VQ[:, None], starts)
        lagged = rho * same.sum() - 2.0 * (AQ * VQ).sum() + (QAQ * np.swapaxes(QVQ, 1, 2)).sum()
        return float(lagged), float(Q.shape[0] - (Q * VQ).sum())

    def _times_correlations(self, Q: Floats, rho: float) -> Floats:
        """Return V Q, by the tridiagonal inverse of V."""
        from scipy.linalg import solveh_banded

        same = self._neighbours
        before = np.concatenate([[False], same])
        behind = np.concatenate([same, [False]])
        bands = np.zeros((2, Q.shape[0]))
        bands[1] = np.where(
            before & behind, 1.0 + rho**2, np.where(before | behind, 1.0, 1.0 - rho**2)
        )
        bands[0, 1:] = np.where(same, -rho, 0.0)
        return np.asarray((1.0 - rho**2) * solveh_banded(bands, Q))

"""Residual variances of a table's clusters, whatever its random and fixed effects are.

Of cluster g that is e_g: what is left of y_g when the columns of Z_g are taken out of it and then,
by one regression for all clusters, what is left of the columns of X. With M_g the projection on
what is orthogonal to Z_g, and U an orthonormal basis of all rows M_g X_g, the squares of e_g sum
to sigma^2 tr A_g on the average if all residuals have the variance sigma^2, A_g = M_g - U_g U_g'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.estimation.meta_analysis import pool

DEPENDENT_SHARE = 1e-10
"""A direction of Z_g shorter than this share of the longest counts as none; so does one of what is
left of X, as a share of its columns."""

NO_SQUARES = 1e-8
"""A cluster whose squares are expected to be a smaller multiple of sigma^2 has none."""

ROUNDING_SHARE = 1e-20
"""A sum of squares that is a smaller share of that before the projection is rounding."""


NEGLIGIBLE_SPREAD = 0.01
"""Log variances that differ by less are the same."""


@dataclass(frozen=True)
class WithinResiduals:
    """The sums of squares that G clusters have of their own.

    Attributes
    ----------
    squares : (G,) array
        e_g' e_g; 0 where a cluster has no degrees of freedom of its own, or is fitted exactly.
    expected : (G,) array
        Their expectations over sigma^2, tr A_g, if all residuals have the variance sigma^2.
    df : (G,) array
        The degrees of freedom of the multiple of chi^2 that has their mean and variance then,
        (tr A_g)^2 / tr A_g^2; 0 where `expected` is.
    """

    squares: Floats
    expected: Floats
    df: Floats

    @classmethod
    def of(cls, y: Floats, X: Floats, Z: Floats, sizes: Ints) -> WithinResiduals:
        """Take random and fixed effects out.

        Parameters
        ----------
        y : (N,) array
            The response, or what is left of it beside any coefficients of X.
        X : (N, p) array
            The columns with fixed coefficients.
        Z : (N, q) array
            Those with random ones.
        sizes : (G,) array of int
            The rows of each cluster.

        Returns
        -------
        WithinResiduals
        """
        lengths = np.linalg.norm(X, axis=0)
        left = np.column_stack([X / np.where(lengths > 0.0, lengths, 1.0), y])
        df, starts = sizes.copy(), np.cumsum(sizes) - sizes
        for g, (start, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True)):
            rows = slice(start, start + size)
            basis, long, _ = np.linalg.svd(Z[rows], full_matrices=False)
            basis = basis[:, long > DEPENDENT_SHARE * long.max(initial=0.0)]
            df[g] -= basis.shape[1]
            left[rows] -= basis @ (basis.T @ left[rows])
        U, long, _ = np.linalg.svd(left[:, :-1], full_matrices=False)
        U = U[:, long > DEPENDENT_SHARE]
        e = left[:, -1] - U @ (U.T @ left[:, -1])
        squares, before = np.add.reduceat(np.array([e * e, y * y]), starts, axis=1)
        grams = (part.T @ part for part in np.split(U, starts[1:]))
        taken = np.array([(np.trace(gram), (gram * gram).sum()) for gram in grams])
        expected = df - taken[:, 0]
        squared = expected - taken[:, 0] + taken[:, 1]
        none = expected < NO_SQUARES
        squares[none | (squares <= ROUNDING_SHARE * before)] = 0.0
        own_df = np.divide(expected**2, squared, out=np.zeros(df.size), where=~none)
        return cls(squares, np.where(none, 0.0, expected), own_df)

    def variances_by_cluster(self) -> tuple[Floats, float] | None:
        """Estimate each cluster's variance by constrained empirical Bayes.

        The log of a cluster's mean square, less its bias, has the log variance for its mean and
        trigamma(df / 2) for its variance; log variances are normal among clusters, with a variance
        estimated by REML. Each log is shrunken towards their mean by what its degrees of freedom
        do not tell. Such means vary less than what they are the means of, so they are then
        stretched until they vary as much as is estimated (Louis 1984, JASA 79, 393-398).

        Returns
        -------
        variances : (G,) array
            Up to a common factor; those of clusters without squares of their own are the mean of
            the others on the log scale.
        spread : float
            The estimated standard deviation of the log variances among clusters; 0 where it is
            negligible, and the variances are then all the same.
            There is no estimate (None) where fewer than two clusters have one of their own.
        """
        from scipy.special import digamma, polygamma

        own = self.squares > 0.0
        if own.sum() < 2:
            return None
        half = 0.5 * self.df[own]
        logs = np.log(half * self.squares[own] / self.expected[own]) - digamma(half)
        noise = np.asarray(polygamma(1, half), dtype=np.float64)
        pooled = pool(logs[None], noise[None], np.ones((1, logs.size, 1)))
        mean, weights = float(pooled.estimate[0, 0]), pooled.weights[0]
        spread = float(np.sqrt(max((1.0 / weights - noise).mean(), 0.0)))
        shrunken = (1.0 - noise * weights) * (logs - mean)
        found = np.full(self.df.size, mean)
        if spread < NEGLIGIBLE_SPREAD:
            return np.exp(found), 0.0
        shrunken -= shrunken.mean()
        found[own] += shrunken * spread / shrunken.std(ddof=1)
        return np.exp(found), spread

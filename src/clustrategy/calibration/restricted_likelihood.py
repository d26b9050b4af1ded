"""How well outcomes on a given design agree with each of some scenarios about their variances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.given import GivenProcess, root_of

SAME = 1e-6
"""Log-likelihoods that differ by less are the same: their rounding is far smaller."""


@dataclass(frozen=True)
class RestrictedLikelihood:
    """The restricted likelihood of a process's variances, known but for one common factor.

    Outcomes have the covariance matrix c V, V block-diagonal and that of the process; c is
    estimated from each dataset, as the tests do that are compared: none of them depends on it. What
    is resampled in place of normal numbers has the likelihood of normal ones. All of V is factored
    once; a dataset costs as many products of its N rows as X and Z have columns.

    Attributes
    ----------
    sigma : (N,) array
        The residual standard deviation of each row.
    autocorrelation : float
        Of successive rows of a cluster.
    starts : (G,) array of int
        The first row of each cluster.
    random : (N, q) array
        In each cluster the part, in the rows of y, of an orthonormal basis of its random effects.
    fixed : (N, p) array
        The same of X beside the random effects.
    nu : int
        N - p.
    log_determinants : float
        log |V| + log |X' V^-1 X|.
    """

    sigma: Floats
    autocorrelation: float
    starts: Ints
    random: Floats
    fixed: Floats
    nu: int
    log_determinants: float

    @classmethod
    def of(cls, process: GivenProcess) -> RestrictedLikelihood:
        """Factor the covariance matrix of a process, whose X is of full rank."""
        shard, rho = process.shard, float(process.autocorrelation)
        n = shard.n[0]
        starts = np.cumsum(n) - n
        columns = [shard.terms.index(name) for name in process.random]
        sigma = np.repeat(np.broadcast_to(np.asarray(process.sigma, dtype=float), n.size), n)
        X = whitened(shard.X.T, sigma, rho, starts).T
        Z = whitened((shard.X[:, columns] @ root_of(process)).T, sigma, rho, starts).T
        q = len(columns)
        log_determinants = 2.0 * np.log(sigma).sum() + (n - 1).sum() * np.log1p(-rho * rho)
        random, beside, below = np.empty_like(Z), np.empty_like(X), []
        for first, size in zip(starts.tolist(), n.tolist(), strict=True):
            rows = slice(first, first + size)
            # Whitened rows have the variance I + Z Z', whose inverse is what is left of the rows of
            # I, extended by zeros, beside the columns of Z, extended by I.
            basis, triangle = np.linalg.qr(np.vstack([Z[rows], np.eye(q)]))
            along = basis[:size].T @ X[rows]
            random[rows] = basis[:size]
            beside[rows] = X[rows] - basis[:size] @ along
            below.append(-basis[size:] @ along)
            log_determinants += 2.0 * np.log(np.abs(np.diagonal(triangle))).sum()
        basis, triangle = np.linalg.qr(np.vstack([beside, *below]))
        log_determinants += 2.0 * np.log(np.abs(np.diagonal(triangle))).sum()
        fixed = basis[: len(X)]
        return cls(sigma, rho, starts, random, fixed, len(X) - shard.p, float(log_determinants))

    def log_likelihoods(self, y: Floats) -> Floats:
        """Return the restricted log-likelihood of each of S responses.

        Parameters
        ----------
        y : (S, N) array
            Responses.

        Returns
        -------
        (S,) array
            Minus half of lme4's REML criterion where V is that of a mixed model; the same to the
            last bit whatever stands beside a response.
        """
        white = whitened(y, self.sigma, self.autocorrelation, self.starts)
        rss = (white * white).sum(axis=1)
        for column in self.random.T:
            along = np.add.reduceat(white * column, self.starts, axis=1)
            rss -= (along * along).sum(axis=1)
        for column in self.fixed.T:
            rss -= (white * column).sum(axis=1) ** 2
        rss = np.maximum(rss, np.finfo(np.float64).tiny)
        nu = self.nu
        criterion = nu * (1.0 + np.log(2.0 * np.pi * rss / nu)) + self.log_determinants
        return np.asarray(-criterion / 2.0)


def whitened(rows: Floats, sigma: Floats, rho: float, starts: Ints) -> Floats:
    """Return (..., N) rows whose residuals are independent and of variance 1."""
    white = rows / sigma
    if rho:
        later = np.ones(rows.shape[-1], dtype=bool)
        later[starts] = False
        at = np.flatnonzero(later)
        white[..., at] = (white[..., at] - rho * white[..., at - 1]) / np.sqrt(1.0 - rho * rho)
    return np.asarray(white)


@dataclass(frozen=True)
class ScenarioLikelihoods:
    """The restricted likelihoods of T scenarios of one design.

    Attributes
    ----------
    of_scenarios : tuple of RestrictedLikelihood
        One of each scenario.
    X : (N, p) array
        An orthonormal basis of X.
    """

    of_scenarios: tuple[RestrictedLikelihood, ...]
    X: Floats

    @classmethod
    def of(cls, processes: Sequence[GivenProcess]) -> ScenarioLikelihoods:
        """Factor the covariance matrices of scenarios of the same design."""
        found = tuple(RestrictedLikelihood.of(process) for process in processes)
        return cls(found, np.linalg.qr(processes[0].shard.X)[0])

    def shortfalls(self, y: Floats) -> Floats:
        """Return how far the log-likelihood of each scenario is below that of the best.

        Parameters
        ----------
        y : (S, N) array
            Responses.

        Returns
        -------
        (S, T) array
            0 of the best and of all that differ from it by less than `SAME`.

        Examples
        --------
        Two clusters whose means are far apart, and two whose means are the same, were these
        variances between clusters 0 or 1:

        >>> import numpy as np
        >>> from clustrategy.core.shard import Shard
        >>> shard = Shard(np.zeros(6), np.ones((6, 1)), np.array([[3, 3]]), ("(Intercept)",))
        >>> of = lambda tau2: GivenProcess(shard, ("(Intercept)",), np.array([[tau2]]), sigma=1.0)
        >>> likelihoods = ScenarioLikelihoods.of([of(0.0), of(1.0)])
        >>> y = np.array([[-2.0, -1.0, 0.0, 4.0, 5.0, 6.0], [-1.0, 0.0, 1.0, -1.0, 0.0, 1.0]])
        >>> likelihoods.shortfalls(y).round(2).tolist()
        [[2.3, 0.0], [0.0, 0.69]]
        """
        # Nothing depends on the coefficients of X; without them less cancels.
        y = y.copy()
        for column in self.X.T:
            y -= (y * column).sum(axis=1, keepdims=True) * column
        found = np.stack([one.log_likelihoods(y) for one in self.of_scenarios], axis=1)
        below = found.max(axis=1, keepdims=True) - found
        return np.where(below < SAME, 0.0, below)

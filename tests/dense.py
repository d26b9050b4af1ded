"""The mixed model of one dataset written out in full: N x N matrices, complex where asked.

A function of real numbers that is computed in complex arithmetic gives its derivatives without
any cancellation: f'(x) = Im f(x + ih) / h for h as small as one likes (Squire & Trapp 1998, SIAM
Rev. 40, 110-112). Second derivatives are central differences of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

from clustrategy.core.shard import Shard

STEP = 1e-30
# Weights of the central difference of order 8, at 1, 2, 3 and 4 steps.
CENTRAL = (4 / 5, -1 / 5, 4 / 105, -1 / 280)


def lower(theta: np.ndarray) -> np.ndarray:
    """The lower triangular L whose columns theta holds one after the other."""
    q = int(np.sqrt(2 * len(theta) + 0.25) - 0.5)
    factor = np.zeros((q, q), dtype=np.asarray(theta).dtype)
    factor.T[np.triu_indices(q)] = theta
    return factor


@dataclass(frozen=True)
class Dense:
    """`y = X beta + Z b_g + e`, the columns of Z among those of X."""

    y: np.ndarray
    X: np.ndarray
    Z: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, shard: Shard, random: Sequence[int]) -> Dense:
        """The one dataset of a shard, `random` the columns of X that are Z's."""
        return cls(shard.y, shard.X, shard.X[:, list(random)], shard.cluster_codes(0))

    @property
    def nu(self) -> int:
        return len(self.y) - self.X.shape[1]

    def spread(self, psi: np.ndarray) -> np.ndarray:
        """Z psi Z', zero between clusters: how V changes along psi."""
        return (self.Z @ psi @ self.Z.T) * (self.codes[:, None] == self.codes)

    def V(self, psi: np.ndarray) -> np.ndarray:
        """The covariance of y over sigma^2."""
        return np.eye(len(self.y)) + self.spread(psi)

    def C(self, psi: np.ndarray) -> np.ndarray:
        """The covariance of beta over sigma^2."""
        return np.linalg.inv(self.X.T @ np.linalg.solve(self.V(psi), self.X))

    def Q(self, psi: np.ndarray) -> np.ndarray:
        """V^-1 - V^-1 X C X' V^-1."""
        inverse = np.linalg.inv(self.V(psi))
        return inverse - inverse @ self.X @ self.C(psi) @ self.X.T @ inverse

    def parts(self, psi: np.ndarray) -> tuple[Any, np.ndarray, Any]:
        """log|V| + log|F|, beta and the weighted residual sum of squares."""
        factor = scipy.linalg.lu_factor(self.V(psi))
        white = scipy.linalg.lu_solve(factor, np.column_stack([self.X, self.y]))
        F = self.X.T @ white[:, :-1]
        beta = np.linalg.solve(F, self.X.T @ white[:, -1])
        e = self.y - self.X @ beta
        dets = _log_det(factor) + _log_det(scipy.linalg.lu_factor(F))
        return dets, beta, e @ (white[:, -1] - white[:, :-1] @ beta)

    def criterion(self, psi: np.ndarray) -> Any:
        """The REML criterion, lme4's REMLcrit."""
        dets, _, rss = self.parts(psi)
        return dets + self.nu * (1.0 + np.log(2.0 * np.pi * rss / self.nu))

    def deviance(self, parameters: np.ndarray) -> Any:
        """The REML deviance as a function of (theta, sigma)."""
        factor, sigma = lower(parameters[:-1]), parameters[-1]
        dets, _, rss = self.parts(factor @ factor.T)
        return dets + self.nu * np.log(2.0 * np.pi * sigma**2) + rss / sigma**2

    def fit(self, theta: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray, Any]:
        """Criterion, estimates, standard errors and sigma at theta."""
        psi = lower(theta) @ lower(theta).T
        _, beta, rss = self.parts(psi)
        sigma = np.sqrt(rss / self.nu)
        return self.criterion(psi), beta, sigma * np.sqrt(np.diag(self.C(psi))), sigma

    def satterthwaite(self, theta: np.ndarray, sigma: float, flat: float = 1e-8) -> np.ndarray:
        """Degrees of freedom, flat directions of the deviance dropped as lmerTest does."""

        def variances(parameters: np.ndarray) -> np.ndarray:
            factor = lower(parameters[:-1])
            return parameters[-1] ** 2 * np.diag(self.C(factor @ factor.T))

        at = np.append(theta, sigma)
        values, vectors = np.linalg.eigh(hessian(self.deviance, at))
        kept = values > flat
        along = gradient(variances, at) @ vectors[:, kept]
        return 2.0 * variances(at) ** 2 / (2.0 * along**2 / values[kept]).sum(axis=1)


def _log_det(factor: tuple[np.ndarray, np.ndarray]) -> Any:
    """The logarithm of a determinant above zero, from the LU factors of the matrix."""
    pivots = np.diag(factor[0])
    return np.log(np.where(pivots.real < 0.0, -pivots, pivots)).sum()


def gradient(f: Callable[[np.ndarray], Any], x: np.ndarray) -> np.ndarray:
    """The derivatives of f, the variables as the last axis."""
    steps = 1j * STEP * np.eye(len(x))
    return np.stack([np.imag(f(x + step)) / STEP for step in steps], axis=-1)


def hessian(f: Callable[[np.ndarray], float], x: np.ndarray, step: float = 2e-3) -> np.ndarray:
    """The second derivatives of f."""
    matrix = np.zeros((len(x), len(x)))
    for times, weight in enumerate(CENTRAL, start=1):
        for row, unit in enumerate(np.eye(len(x))):
            shift = times * step * unit
            matrix[row] += weight / step * (gradient(f, x + shift) - gradient(f, x - shift))
    return 0.5 * (matrix + matrix.T)

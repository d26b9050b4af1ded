"""The mixed model of one dataset in arithmetic of 60 digits, where double precision has too few."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

import numpy as np

from clustrategy.core.shard import Shard

DIGITS = Context(prec=60)


@dataclass(frozen=True)
class Precise:
    """`y = X beta + Z b_g + e`; the data are taken for exact.

    `clusters` holds `[X_g y_g]` and Z_g of each cluster, as arrays of Decimal.
    """

    clusters: list[tuple[np.ndarray, np.ndarray]]
    nu: int

    @classmethod
    def of(cls, shard: Shard, random: list[int]) -> Precise:
        """The one dataset of a shard, `random` the columns of X that are Z's."""
        rows, codes = _decimal(np.column_stack([shard.X, shard.y])), shard.cluster_codes(0)
        here = [rows[codes == g] for g in range(shard.clusters)]
        return cls([(part, part[:, random]) for part in here], len(rows) - shard.p)

    def fit(self, root: np.ndarray) -> tuple[Decimal, np.ndarray, np.ndarray, float]:
        """Criterion, estimates, standard errors and sigma where Psi = root root'."""
        with localcontext(DIGITS):
            half = _decimal(root)
            white, log_det = [], Decimal(0)
            for rows, Z in self.clusters:
                H = Z @ half
                factor = _cholesky(H @ H.T + _decimal(np.eye(len(rows))))
                white.append(_solve(factor, rows))
                log_det += sum(2 * pivot.ln() for pivot in factor.diagonal())
            joined = np.concatenate(white)
            p = joined.shape[1] - 1
            whole = _cholesky(joined.T @ joined)
            triangle, rss = whole[:p, :p], whole[p, p] ** 2
            log_det += sum(2 * pivot.ln() for pivot in triangle.diagonal())
            inverse = _solve(triangle, _decimal(np.eye(p)))
            sigma = (rss / self.nu).sqrt()
            criterion = log_det + self.nu * (1 + (2 * Decimal(np.pi) * rss / self.nu).ln())
            beta = inverse.T @ whole[p, :p]
            errors = [sigma * (column @ column).sqrt() for column in inverse.T]
            return criterion, beta.astype(float), np.array(errors, dtype=float), float(sigma)

    def gain(self, root: np.ndarray, step: float = 1e-3) -> float:
        """By how much a Newton step in one element of the root can lower the criterion."""
        largest = 0.0
        at = self.fit(root)[0]
        for place in zip(*np.nonzero(np.abs(root) > 1e-6), strict=True):
            up, down = root.copy(), root.copy()
            up[place] *= 1 + step
            down[place] *= 1 - step
            more, less = self.fit(up)[0], self.fit(down)[0]
            with localcontext(DIGITS):
                gain = (more - less) ** 2 / (8 * abs(more + less - 2 * at))
            largest = max(largest, float(gain))
        return largest


def _decimal(numbers: np.ndarray) -> np.ndarray:
    return np.vectorize(Decimal, otypes=[object])(np.asarray(numbers, dtype=float))


def _cholesky(matrix: np.ndarray) -> np.ndarray:
    left, lower = matrix.copy(), _decimal(np.zeros(matrix.shape))
    for j in range(len(left)):
        lower[j:, j] = left[j:, j] / left[j, j].sqrt()
        left[j:, j:] -= np.outer(lower[j:, j], lower[j:, j])
    return lower


def _solve(lower: np.ndarray, right: np.ndarray) -> np.ndarray:
    out = right.copy()
    for j in range(len(out)):
        out[j] = out[j] / lower[j, j]
        out[j + 1 :] -= np.outer(lower[j + 1 :, j], out[j])
    return out

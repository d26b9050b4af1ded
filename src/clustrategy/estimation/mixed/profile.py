"""The REML criterion as a function of one random coefficient's standard deviation.

Everything else (the residual variance, the other variances and the correlations) is optimised anew
at each value, as lme4's `profile` does with the ML criterion, or stays as it is at the optimum. The
criterion of `reml` has the residual variance optimised; at another one, sigma^2, it is higher by
nu (s - 1 - log s) with s = r^2 / (nu sigma^2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.estimation.mixed.covariance import Unstructured, columnwise, triangular
from clustrategy.estimation.mixed.optimizer import minimise
from clustrategy.estimation.mixed.reml import Criterion

STARTS = (0.1, 1.0)
"""Relative standard deviations below these start from them: at zero their derivative vanishes,
whether or not there is a minimum, and from one start alone the search may end there."""

GRADIENT = 1e-4
"""At which a search ends; the criterion is then off by less than 1e-8."""

LARGEST_LOG = 50.0
"""The log of a residual standard deviation over that at the optimum is not let exceed this."""

FARTHEST = 1e6
"""Excesses of the criterion are not told apart beyond this: it may overflow there."""

PRECISION = 1e-7
"""Of a limit, relative to the larger end of its bracket."""

NO_MINIMUM = "the REML criterion has no minimum that could be found"


class Limits(NamedTuple):
    """Profile-likelihood limits of a standard deviation.

    Attributes
    ----------
    low, high : float
        0 and infinite where there is no such limit, or rounding hides it.
    """

    low: float
    high: float


@dataclass(frozen=True)
class Profile:
    """The profiled REML criterion of one dataset.

    Attributes
    ----------
    criterion : Criterion
        Of the one dataset.
    correlated : bool
        Whether the random coefficients may correlate.
    own : (q, q) array
        Takes relative factors in units of the columns of Z to the coordinates of the criterion.
    length : (q,) array
        The root mean squares of the columns of Z, their units.
    factor : (q, q) array
        The relative factor at the optimum, in these units.
    sigma : float
        The residual standard deviation there.
    minimum : float
        REMLcrit there.
    """

    criterion: Criterion
    correlated: bool
    own: Floats
    length: Floats
    factor: Floats
    sigma: float
    minimum: float

    @classmethod
    def of(cls, triangles: Floats, n_obs: int, random: Ints, *, correlated: bool) -> Profile:
        """Find the optimum, from which limits are sought.

        Parameters
        ----------
        triangles : (G, p + 1, p + 1) array
            Factors of `[X_g y_g]`, as of `Shard.triangles`, X of full rank.
        n_obs : int
            The rows.
        random : (q,) array of int
            The columns of X that have random coefficients.
        correlated : bool
            Whether these may correlate.

        Returns
        -------
        Profile

        Raises
        ------
        ValueError
            Where there is none, or none was found.
        """
        start = Criterion.of(triangles[None], np.array([n_obs]), random)
        found = minimise(start if correlated else start.diagonal())
        if found.exhausted[0] or not found.converged[0]:
            raise ValueError(NO_MINIMUM)
        point = found.point
        criterion = replace(point.criterion, structure=Unstructured(random.size))
        length = np.sqrt((triangles[..., random] ** 2).sum(axis=(0, 1)) / n_obs)
        return cls(
            criterion=criterion,
            correlated=correlated,
            own=np.linalg.inv(criterion.random_root[0]) / length,
            length=length,
            factor=length[:, None] * (criterion.random_root[0] @ point.factor[0]),
            sigma=float(criterion.scale[0] * np.sqrt(point.rss[0] / criterion.nu[0])),
            minimum=float(point.reml_criterion[0]),
        )

    @property
    def covariance(self) -> Floats:
        """(q, q) the covariance matrix of the random coefficients at the optimum."""
        root = self.sigma * self.factor / self.length[:, None]
        return np.asarray(root @ root.T)

    @property
    def sd(self) -> Floats:
        """(q,) the standard deviations of the random coefficients at the optimum."""
        return np.sqrt(np.diagonal(self.covariance))

    def at(self, coefficient: int, sd: float) -> float:
        """Return the least REMLcrit at a standard deviation.

        Parameters
        ----------
        coefficient : int
            Which random coefficient, 0 to q - 1.
        sd : float
            Its standard deviation, at least 0.

        Returns
        -------
        float
        """
        from scipy.optimize import minimize

        starts = [self._start(coefficient, least) for least in STARTS]
        if (starts[0] == self._start(coefficient, 0.0)).all():
            starts = starts[:1]
        found = [
            minimize(
                self._value_and_gradient,
                start,
                (coefficient, sd * self.length[coefficient]),
                method="BFGS",
                jac=True,
                options={"gtol": GRADIENT},
            )
            for start in starts
        ]
        return min(float(one.fun) for one in found)

    def alone(self, coefficient: int) -> Callable[[float], float]:
        """Return REMLcrit as a function of one standard deviation, all others at the optimum.

        Parameters
        ----------
        coefficient : int
            Which random coefficient, 0 to q - 1, of a model in which they do not correlate.

        Returns
        -------
        function of float
            Of a standard deviation, at least 0; infinite where rounding hides the criterion.

        Notes
        -----
        With V_g that of the others, z_g the column of Z, a_g = z'V^-1 z, n_g = C^{1/2}' X'V^-1 z,
        u_g = z'V^-1 (y - X beta), d = sd^2 / sigma^2 and w_g = d / (1 + d a_g), the criterion at d
        is that at 0 plus sum log(1 + d a_g) + log |K| - (sum w_g u_g^2 + s'K^-1 s) / sigma^2, where
        K = I - sum w_g n_g n_g' and s = sum w_g n_g u_g: its cost does not depend on q.
        """
        others = self.factor.copy()
        others[coefficient] = 0.0
        axis, length = self.own[:, coefficient], self.length[coefficient]
        nu, variance = self.criterion.nu[0], (self.sigma / self.criterion.scale[0]) ** 2
        try:
            with np.errstate(all="ignore"):
                point = self.criterion.at(triangular((self.own @ others)[None]))
                along = np.tensordot(axis, point.N[:, :, 0], 1)
                a = axis @ along[: axis.size]
                n = point.J[0].T @ along[:-1]
                u = along[-1] - point.beta[0] @ along[:-1]
                share = point.rss[0] / (nu * variance)
                at_zero = point.reml_criterion[0] + nu * (share - 1.0 - np.log(share))
        except np.linalg.LinAlgError:
            return lambda _: np.inf

        def criterion(sd: float) -> float:
            d = (sd * length / self.sigma) ** 2
            with np.errstate(all="ignore"):
                w = d / (1.0 + d * a)
                K = np.eye(len(n)) - (n * w) @ n.T
                s = n @ (w * u)
                sign, log_determinant = np.linalg.slogdet(K)
                if not sign > 0.0:
                    return np.inf
                gain = (w @ (u * u) + s @ np.linalg.solve(K, s)) / variance
                found = float(at_zero + np.log1p(d * a).sum() + log_determinant - gain)
            return found if np.isfinite(found) else np.inf

        return criterion

    def limits(
        self, coefficient: int, level: float, largest: float, *, alone: bool = False
    ) -> Limits:
        """Return the limits of a standard deviation.

        Parameters
        ----------
        coefficient : int
            Which random coefficient, 0 to q - 1.
        level : float
            The confidence level: at the limits the criterion exceeds its minimum by that quantile
            of chi^2 with one degree of freedom.
        largest : float
            Where the search for the upper limit ends.
        alone : bool
            Whether all else is held at the optimum, as of `alone`, instead of optimised anew at
            each value: the limits are then nearer to the estimate, and found much sooner.

        Returns
        -------
        Limits
        """
        from scipy.optimize import brentq
        from scipy.special import chdtri

        bound = float(np.sqrt(chdtri(1, 1.0 - level)))
        estimate = float(self.sd[coefficient])

        criterion = self.alone(coefficient) if alone else partial(self.at, coefficient)

        def over(sd: float) -> float:
            # Nearly linear in sd, unlike its square.
            excess = max(criterion(sd) - self.minimum, 0.0)
            return float(np.sqrt(min(excess, FARTHEST))) - bound

        def crossing(low: float, high: float) -> float:
            return float(brentq(over, low, high, xtol=PRECISION * high))

        if over(estimate) >= 0.0:
            return Limits(0.0, float("inf"))
        low = crossing(0.0, estimate) if estimate > 0.0 and over(0.0) > 0.0 else 0.0
        beyond = largest > estimate and over(largest) > 0.0
        return Limits(low, crossing(estimate, largest) if beyond else float("inf"))

    def _places(self) -> tuple[Ints, Ints]:
        """Return rows and columns of the free elements of a factor, the first one given."""
        q = self.length.size
        rows, columns = columnwise(q) if self.correlated else np.diag_indices(q)
        return rows[1:], columns[1:]

    def _order(self, coefficient: int) -> Ints:
        """Return the random coefficients, this one first."""
        others = np.delete(np.arange(self.length.size), coefficient)
        return np.concatenate([[coefficient], others])

    def _start(self, coefficient: int, least: float) -> Floats:
        """Return what is free at the optimum, no standard deviation less than the least."""
        factor = triangular(self.factor[None, self._order(coefficient)])[0]
        diagonal = np.diag_indices_from(factor)
        factor[diagonal] = np.maximum(factor[diagonal], least)
        free = (factor / self._units(coefficient)[:, None])[self._places()]
        return np.concatenate([[0.0], free])

    def _units(self, coefficient: int) -> Floats:
        """Return the units of the rows of a factor: what they are at the optimum, or 1."""
        rows = np.linalg.norm(self.factor[self._order(coefficient)], axis=1)
        return np.maximum(rows, 1.0)

    def _value_and_gradient(
        self, free: Floats, coefficient: int, scaled_sd: float
    ) -> tuple[float, Floats]:
        """Evaluate the criterion and its gradient.

        Parameters
        ----------
        free : (1 + k,) array
            sqrt(2 nu) times the log of the residual standard deviation over that at the optimum,
            which makes its curvature 1; and the free elements of the factor, in their units.
        coefficient : int
            Which random coefficient.
        scaled_sd : float
            Its standard deviation in units of `length`.

        Returns
        -------
        value : float
        gradient : (1 + k,) array
        """
        nu = float(self.criterion.nu[0])
        unit = np.sqrt(2.0 * nu)
        sigma = self.sigma * np.exp(np.clip(free[0] / unit, -LARGEST_LOG, LARGEST_LOG))
        q, places = self.length.size, self._places()
        factor = np.zeros((q, q))
        factor[0, 0] = scaled_sd / sigma
        units = self._units(coefficient)[places[0]]
        factor[places] = units * free[1:]
        own = self.own[:, self._order(coefficient)]
        try:
            with np.errstate(all="ignore"):
                point = self.criterion.at(triangular((own @ factor)[None]))
                derivatives = point.derivatives()
        except np.linalg.LinAlgError:
            return np.inf, np.zeros(free.size)
        rss, variance = float(point.rss[0]), float((sigma / self.criterion.scale[0]) ** 2)
        share = rss / (nu * variance)
        if not np.isfinite(point.value[0]) or not rss > 0.0:
            return np.inf, np.zeros(free.size)
        value = float(point.reml_criterion[0]) + nu * (share - 1.0 - np.log(share))
        slope = derivatives.slope[0] + (nu / rss - 1.0 / variance) * derivatives.uu.reshape(q, q)
        by_factor = 2.0 * own.T @ slope @ own @ factor
        by_log_sigma = 2.0 * nu * (1.0 - share) - by_factor[0, 0] * factor[0, 0]
        return value, np.concatenate([[by_log_sigma / unit], units * by_factor[places]])

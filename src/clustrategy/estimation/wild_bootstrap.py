"""The wild cluster bootstrap (Cameron, Gelbach & Miller 2008, REStat 90, 414-427).

Every draw multiplies the residuals of each cluster g by a random weight v_g, fits again and takes
the t statistic anew. That needs no rows, only the cross-products and scores of the clusters
(MacKinnon, Nielsen & Webb 2023, J. Appl. Econometrics 38, 671-694). W W' is the inverse of X'X,
B_g = W' X_g' X_g W (they sum to the identity) and z_g = W' X_g' e_g (they sum to zero). Of one
coefficient, r is its row of W, made one long, h that length, and

    q_g = r' z_g,    a_g = B_g r,    k_g = r' a_g,    D = sum q_g^2,

so that its CR1 standard error is h sqrt(D G/(G-1)). Under the null that it is b the residuals have
the scores z_g + (estimate - b)/h a_g. With tau = (estimate - b)/(h sqrt(D)), which is t up to a
constant, a draw's estimate less b and its sum of squares are, in units of h sqrt(D) and its square,

    n(tau) = sum v_g (q_g/sqrt(D) + tau k_g) = n0 + tau n1,
    d(tau) = sum (v_g (q_g/sqrt(D) + tau k_g) - a_g' w(tau))^2 = d0 + 2 tau d1 + tau^2 d2,
    w(tau) = sum v_g (z_g/sqrt(D) + tau a_g),

and its |t| is at least the observed one where n(tau)^2 >= tau^2 d(tau). So five numbers a draw give
the p-value of every null value, and with it the confidence limits. Without the null imposed
n1, d1 and d2 are zero.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.inference import CONFIDENCE
from clustrategy.core.shard import Floats, Shard
from clustrategy.estimation.cluster_robust import (
    ONE_CLUSTER,
    influences,
    leave_out_zeros,
    sum_of_squares,
)
from clustrategy.estimation.least_squares import mark_undefined, solve
from clustrategy.estimation.resampling import all_signs, are_few, generator_of

TIE_TOLERANCE = 1e-9
"""Relative difference of squared t statistics below which they count as tied."""

FARTHEST = 1024.0
"""The largest tau of a confidence limit; an interval that reaches it has no end."""

HALVINGS = 30

Weights = Literal["rademacher", "webb", "mammen"]

WEBB = np.sqrt([1.5, 1.0, 0.5])
GOLDEN_RATIO = (1.0 + np.sqrt(5.0)) / 2.0
POINTS = {
    "rademacher": np.array([-1.0, 1.0]),
    "webb": np.concatenate([-WEBB, WEBB]),
    "mammen": np.array([1.0 - GOLDEN_RATIO, GOLDEN_RATIO]),
}


def fit_wild_bootstrap(shard: Shard, impose_null: bool, weights: Weights, draws: int) -> Fits:
    """Fit ordinary least squares with tests and intervals by the wild cluster bootstrap.

    Parameters
    ----------
    shard : Shard
        The datasets.
    impose_null : bool
        Whether residuals come from the fit under the null, anew for each coefficient and null value
        (WCR), or from the unrestricted fit (WCU).
    weights : str
        Rademacher's two points, the six of Webb, or Mammen's (1993) skewed two.
    draws : int
        Bootstrap samples.

    Returns
    -------
    Fits
        Standard errors are CR1's; a constant factor of the variance (CR0, CR1S) changes no p-value
        and no limit. There are no degrees of freedom. The p-value is the share of draws with
        |t*| >= |t|, the confidence limits are the farthest null values that this test does not
        reject.

    Notes
    -----
    With Rademacher weights all sign vectors are taken, instead of random ones, where those that
    have +1 in the first cluster are at most `draws`: 2^(G-1), for a vector and its opposite have
    the same |t*|. `p_value_low` is the share with |t*| > |t| where that differs: under the null
    imposed the vector of ones gives back the data, so that not a p-value but an interval is
    identified (Webb 2023, Canadian J. Econ. 56, 839-858).

    The random weights follow from the response alone, rounded to single precision: a dataset has
    the same ones in any shard. All its coefficients share them.
    """
    fits = Fits.blank(shard.sims, shard.p)
    solution = solve(shard)
    half, residual = influences(shard.triangles, solution)
    scores = (np.swapaxes(half, 2, 3) @ residual[..., None])[..., 0]
    length = np.sqrt((solution.root * solution.root).sum(axis=2))
    direction = solution.root / length[..., None]
    squares = sum_of_squares(scores @ np.swapaxes(solution.root, 1, 2), solution)
    fits.estimate[:] = solution.estimate
    with np.errstate(divide="ignore", invalid="ignore"):
        cr1 = shard.clusters / np.float64(shard.clusters - 1)
        fits.std_error[:] = np.sqrt(cr1 * squares)
    mark_undefined(shard, fits, solution)
    if shard.clusters < 2:
        fits.fail(np.ones(shard.sims, dtype=bool), "undefined", ONE_CLUSTER)
    leave_out_zeros(fits, shard.terms)
    units = np.sqrt(np.where(np.isnan(squares), 1.0, squares))
    for sim in map(int, np.flatnonzero(fits.status == "ok")):
        unit = units[sim]
        tau = solution.estimate[sim] / unit
        signs = weights_of(shard, sim, weights, draws)
        draw = Draws.of(
            half[sim], scores[sim], direction[sim], unit / length[sim], signs, impose_null
        )
        fits.p_value[sim] = share = draw.share(tau)
        above = draw.share(tau, ties=False)
        fits.p_value_low[sim] = np.where(above < share, above, np.nan)
        largest, smallest = draw.limits()
        fits.conf_low[sim] = solution.estimate[sim] - unit * largest
        fits.conf_high[sim] = solution.estimate[sim] - unit * smallest
    leave_out_zeros(fits, shard.terms)
    return fits


class Draws(NamedTuple):
    """The numbers of each draw that the tests need, as the module defines them.

    Attributes
    ----------
    n0, n1, d0, d1, d2 : (p, B) array
        Coefficients of the polynomials n(tau) and d(tau).
    """

    n0: Floats
    n1: Floats
    d0: Floats
    d1: Floats
    d2: Floats

    @classmethod
    def of(
        cls,
        half: Floats,
        scores: Floats,
        direction: Floats,
        spread: Floats,
        weights: Floats,
        impose_null: bool,
    ) -> Draws:
        """Draw from one dataset.

        Parameters
        ----------
        half : (G, k, p) array
            X_g W in the coordinates of the clusters' triangles.
        scores : (G, p) array
            z_g.
        direction : (p, p) array
            A row r for each coefficient.
        spread : (p,) array
            sqrt(D) of each coefficient.
        weights : (G, B) array
            v.
        impose_null : bool
            As of `fit_wild_bootstrap`.

        Returns
        -------
        Draws
        """
        z = np.ascontiguousarray(scores.T)
        q = (direction @ z) / spread[:, None]
        w0 = (z @ weights) / spread[:, None, None]
        a = np.swapaxes(half, 1, 2) @ (half @ direction.T)
        a = np.ascontiguousarray(np.transpose(a, (2, 1, 0)))
        products = a @ np.swapaxes(a, 1, 2)
        squared = weights * weights
        along0, about0 = products @ w0, (a * q[:, None]) @ weights
        n0 = (direction[:, None] @ w0)[:, 0]
        d0 = (q * q) @ squared + (w0 * (along0 - 2.0 * about0)).sum(axis=1)
        n1 = d1 = d2 = np.zeros_like(n0)
        if impose_null:
            k = (direction[:, None] @ a)[:, 0]
            w1 = a @ weights
            along1, about1 = products @ w1, (a * k[:, None]) @ weights
            n1 = (direction[:, None] @ w1)[:, 0]
            d1 = (q * k) @ squared + (w1 * (along0 - about0) - w0 * about1).sum(axis=1)
            d2 = (k * k) @ squared + (w1 * (along1 - 2.0 * about1)).sum(axis=1)
        # A draw that multiplies all residuals by one number gives back t, to the last digit.
        same = (weights == weights[0]).all(axis=0)
        if same.any():
            once = weights[0, same]
            n0[:, same], d0[:, same] = 0.0, once * once
            if impose_null:
                n1[:, same], d1[:, same], d2[:, same] = once, 0.0, 0.0
        return cls(n0, n1, d0, d1, d2)

    def share(self, tau: Floats, *, ties: bool = True) -> Floats:
        """Return the share of draws with |t*| >= |t|, or, without `ties`, |t*| > |t|.

        Parameters
        ----------
        tau : (p,) array
            The null value of each coefficient.
        ties : bool
            Whether equal |t*| count.

        Returns
        -------
        (p,) array
        """
        tie = 1.0 - TIE_TOLERANCE if ties else 1.0 + TIE_TOLERANCE
        return _share_above(self._excess(tie), tau)

    def limits(self) -> Floats:
        """Find the largest and the smallest tau, (2, p), of null values that are not rejected.

        From `FARTHEST` inwards, halved until one is not rejected, then by bisection. Where the one
        at `FARTHEST` is not rejected, the interval has no end.
        """
        excess = self._excess(1.0 - TIE_TOLERANCE)
        side = np.array([[1.0], [-1.0]])

        def accepted(distance: Floats) -> NDArray[np.bool_]:
            return _share_above(excess, side * distance) > 1.0 - CONFIDENCE

        kept = np.zeros((2, self.n0.shape[0]))
        rejected = np.full(kept.shape, FARTHEST)
        distance = FARTHEST
        while distance >= 1.0:
            at = np.full(kept.shape, distance)
            kept = np.where((kept == 0.0) & accepted(at), distance, kept)
            rejected = np.where(kept == 0.0, distance, rejected)
            distance /= 2.0
        for _ in range(HALVINGS):
            middle = (kept + rejected) / 2.0
            inside = accepted(middle)
            kept, rejected = np.where(inside, middle, kept), np.where(inside, rejected, middle)
        return side * np.where(kept == FARTHEST, np.inf, kept)

    def _excess(self, tie: float) -> list[Floats]:
        """Return n(tau)^2 - tie tau^2 d(tau) as a polynomial, the highest power first."""
        return [
            -tie * self.d2,
            -2.0 * tie * self.d1,
            self.n1 * self.n1 - tie * self.d0,
            2.0 * self.n0 * self.n1,
            self.n0 * self.n0,
        ]


def _share_above(polynomial: list[Floats], tau: Floats) -> Floats:
    """Return the share of draws whose polynomial is not negative at tau."""
    tau = tau[..., None]
    value = polynomial[0] * tau
    for coefficient in polynomial[1:-1]:
        value += coefficient
        value *= tau
    value += polynomial[-1]
    return np.asarray((value >= 0.0).sum(axis=-1) / value.shape[-1])


def weights_of(shard: Shard, sim: int, weights: Weights, draws: int) -> Floats:
    """Return the weights of one dataset.

    Parameters
    ----------
    shard : Shard
        The datasets.
    sim : int
        Which of them.
    weights, draws
        As of `fit_wild_bootstrap`.

    Returns
    -------
    (G, B) array
    """
    G = shard.clusters
    if weights == "rademacher" and are_few(G, draws):
        return np.ascontiguousarray(all_signs(G).T)
    rng = generator_of(shard.dataset(sim))
    points: Floats = POINTS[weights]
    if weights == "mammen":
        # Mean zero: the larger point is as much rarer as it is larger.
        return points[(rng.random((G, draws)) < -points[0] / np.sqrt(5.0)).astype(np.int8)]
    return points[rng.integers(points.size, size=(G, draws), dtype=np.int8)]

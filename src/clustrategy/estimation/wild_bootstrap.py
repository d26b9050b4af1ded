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
the p-value of every null value, and with it all values that are not rejected (`confidence_set`).
Without the null imposed n1, d1 and d2 are zero.
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
from clustrategy.estimation.confidence_set import ConfidenceSet, confidence_set
from clustrategy.estimation.least_squares import Solution, mark_undefined, solve
from clustrategy.estimation.resampling import all_signs, are_few

TIE_TOLERANCE = 1e-9
"""Relative difference of squared t statistics below which they count as tied."""

NO_PART = 1e-20
"""A coefficient does not depend on clusters whose k is no larger: there its predictor is a linear
combination of the others. (The k are shares of its partial leverage; they sum to one.)"""

ROUNDING = 1e-13
"""A d2 no larger than this share of its first sum is zero but for rounding."""

ISLANDS = "the test does not reject every value outside the interval"

Weights = Literal["rademacher", "webb", "mammen"]

WEBB = np.sqrt([1.5, 1.0, 0.5])
GOLDEN_RATIO = (1.0 + np.sqrt(5.0)) / 2.0
POINTS = {
    "rademacher": np.array([-1.0, 1.0]),
    "webb": np.concatenate([-WEBB, WEBB]),
    "mammen": np.array([1.0 - GOLDEN_RATIO, GOLDEN_RATIO]),
}


def fit_wild_bootstrap(
    shard: Shard, nulls: Floats | None, impose_null: bool, weights: Weights, draws: int
) -> Fits:
    """Fit ordinary least squares with tests and intervals by the wild cluster bootstrap.

    Parameters
    ----------
    shard : Shard
        The datasets.
    nulls : (S, p, K) array, optional
        Further null values of each coefficient to test.
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
        |t*| >= |t|, and the interval is the widest around the estimate in which this test rejects
        no value.

    Notes
    -----
    With Rademacher weights all sign vectors are taken, instead of random ones, where those that
    have +1 in the first cluster are at most `draws`: 2^(G-1), for a vector and its opposite have
    the same |t*|. `p_value_low` is the share with |t*| > |t| where that differs: under the null
    imposed the vector of ones gives back the data, so that not a p-value but an interval is
    identified (Webb 2023, Canadian J. Econ. 56, 839-858).

    With the null imposed the p-value need not fall steadily away from the estimate. Where values
    outside the interval are not rejected either, the message says so and names the coefficients.
    So a value that is rejected is outside the interval, and one that is not is inside unless the
    message tells otherwise. A limit is infinite where no value on its side is rejected.

    The random weights follow from the dataset's seed, not from its numbers: to add X b to the
    response moves the interval by b and changes no weight. All coefficients share them.
    """
    if nulls is None:
        nulls = np.empty((shard.sims, shard.p, 0))
    fits, (solution, half, scores, squares) = least_squares(shard, nulls.shape[2])
    length = np.sqrt((solution.root * solution.root).sum(axis=2))
    direction = solution.root / length[..., None]
    for sim in map(int, np.flatnonzero(fits.status == "ok")):
        tested = np.flatnonzero(np.isfinite(fits.std_error[sim]))
        there = sim, tested
        unit = np.sqrt(squares[there])
        draw = Draws.of(
            half[sim],
            scores[sim],
            direction[there],
            unit / length[there],
            weights_of(shard, sim, weights, draws),
            impose_null,
        )
        tau = solution.estimate[there] / unit
        fits.p_value[there] = share = draw.share(tau)
        above = draw.share(tau, ties=False)
        fits.p_value_low[there] = np.where(above < share, above, np.nan)
        taus = (solution.estimate[there] - nulls[there].T) / unit
        fits.p_nulls[there] = draw.share(taus).T
        smallest, largest, islands = draw.not_rejected()
        fits.conf_low[there] = solution.estimate[there] - unit * largest
        fits.conf_high[there] = solution.estimate[there] - unit * smallest
        if islands.any():
            fits.tell(sim, f"{ISLANDS}: {', '.join(np.asarray(shard.terms)[tested[islands]])}")
    return fits


class Parts(NamedTuple):
    """What the draws are made from.

    Attributes
    ----------
    solution : Solution
        Least squares.
    half : (S, G, k, p) array
        X_g W in the coordinates of the clusters' triangles.
    scores : (S, G, p) array
        z_g.
    squares : (S, p) array
        The sum of the clusters' squared influences on each estimate.
    """

    solution: Solution
    half: Floats
    scores: Floats
    squares: Floats


def least_squares(shard: Shard, nulls: int = 0) -> tuple[Fits, Parts]:
    """Fit ordinary least squares with CR1 standard errors, as yet without tests.

    Parameters
    ----------
    shard : Shard
        The datasets.
    nulls : int
        K of `Fits.p_nulls`.

    Returns
    -------
    fits : Fits
        Undefined ones marked.
    parts : Parts
    """
    fits = Fits.blank(shard.sims, shard.p, nulls=nulls)
    solution = solve(shard)
    half, residual = influences(shard.triangles, solution)
    scores = (np.swapaxes(half, 2, 3) @ residual[..., None])[..., 0]
    squares = sum_of_squares(scores @ np.swapaxes(solution.root, 1, 2), solution)
    fits.estimate[:] = solution.estimate
    with np.errstate(divide="ignore", invalid="ignore"):
        cr1 = shard.clusters / np.float64(shard.clusters - 1)
        fits.std_error[:] = np.sqrt(cr1 * squares)
    mark_undefined(shard, fits, solution)
    if shard.clusters < 2:
        fits.fail(np.ones(shard.sims, dtype=bool), "undefined", ONE_CLUSTER)
    leave_out_zeros(fits, shard.terms)
    return fits, Parts(solution, half, scores, squares)


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
        k = (direction[:, None] @ a)[:, 0]
        products = a @ np.swapaxes(a, 1, 2)
        squared = weights * weights
        along0, about0 = products @ w0, (a * q[:, None]) @ weights
        n0 = (direction[:, None] @ w0)[:, 0]
        d0 = (q * q) @ squared + (w0 * (along0 - 2.0 * about0)).sum(axis=1)
        n1 = d1 = d2 = np.zeros_like(n0)
        if impose_null:
            w1 = a @ weights
            along1, about1 = products @ w1, (a * k[:, None]) @ weights
            n1 = (direction[:, None] @ w1)[:, 0]
            d1 = (q * k) @ squared + (w1 * (along0 - about0) - w0 * about1).sum(axis=1)
            most = (k * k) @ squared
            d2 = most + (w1 * (along1 - 2.0 * about1)).sum(axis=1)
            nothing = d2 <= ROUNDING * most
            d1[nothing] = d2[nothing] = 0.0
        # A draw that multiplies by one number all residuals that the coefficient depends on, and
        # all that, fitted anew, change those, gives back t, to the last digit.
        triangles = np.linalg.qr(np.swapaxes(a, 1, 2), mode="r")
        spilled = ((half @ np.swapaxes(triangles, 1, 2)[:, None]) ** 2).sum(axis=(2, 3))
        same, once = same_weight(weights, (k > NO_PART) | (spilled > NO_PART))
        if same.any():
            once = once[same]
            n0[same], d0[same] = 0.0, once * once
            if impose_null:
                n1[same], d1[same], d2[same] = once, 0.0, 0.0
        return cls(n0, n1, d0, d1, d2)

    def share(self, tau: Floats, *, ties: bool = True) -> Floats:
        """Return the share of draws with |t*| >= |t|, or, without `ties`, |t*| > |t|.

        Parameters
        ----------
        tau : (p,) or (K, p) array
            The null value of each coefficient, or K of them.
        ties : bool
            Whether equal |t*| count.

        Returns
        -------
        (p,) or (K, p) array
        """
        tie = 1.0 - TIE_TOLERANCE if ties else 1.0 + TIE_TOLERANCE
        return _share_above(self._excess(tie), tau)

    def not_rejected(self) -> ConfidenceSet:
        """Find the taus of the null values that the test does not reject."""
        most = int(np.floor((1.0 - CONFIDENCE) * self.n0.shape[1] + 1e-9))
        return confidence_set(np.array(self._excess(1.0 - TIE_TOLERANCE)[::-1]), most)

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


def same_weight(weights: Floats, matters: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Floats]:
    """Tell which draws give one weight to all clusters that matter, (p, B), and the weight of one.

    Parameters
    ----------
    weights : (G, B) array
        v.
    matters : (p, G) array of bool
        Which clusters have a part in each coefficient.
    """
    first = weights[matters.argmax(axis=1)]
    same = np.tile((weights == weights[0]).all(axis=0), (len(matters), 1))
    for row in np.flatnonzero(~matters.all(axis=1)):
        same[row] = (weights[matters[row]] == first[row]).all(axis=0)
    return same, first


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
    rng = shard.generator(sim)
    points: Floats = POINTS[weights]
    if weights == "mammen":
        # Mean zero: the larger point is as much rarer as it is larger.
        return points[(rng.random((G, draws)) < -points[0] / np.sqrt(5.0)).astype(np.int8)]
    return points[rng.integers(points.size, size=(G, draws), dtype=np.int8)]

"""The wild cluster bootstrap (Cameron, Gelbach & Miller 2008, REStat 90, 414-427).

Every draw multiplies the residuals of each cluster g by a random weight v_g, fits again and takes
the t statistic anew. That needs no rows, only the cross-products and scores of the clusters
(MacKinnon, Nielsen & Webb 2023, J. Appl. Econometrics 38, 671-694). W W' is the inverse of X'X,
B_g = W' X_g' X_g W (they sum to the identity) and z_g = W' X_g' e_g (they sum to zero). Of one
coefficient, r is its row of W, made one long, h that length, and

    a_g = y_g = B_g r,    q_g = r' z_g,    k_g = r' y_g,    D = sum q_g^2,

so that its CR1 standard error is h sqrt(D G/(G-1)). Under the null that it is b the residuals have
the scores z_g + (estimate - b)/h y_g. With tau = (estimate - b)/(h sqrt(D)), which is t up to a
constant, a draw's estimate less b and its sum of squares are, in units of h sqrt(D) and its square,

    w(tau) = sum v_g (z_g/sqrt(D) + tau y_g),    n(tau) = r' w(tau) = n0 + tau n1,
    d(tau) = sum (v_g (q_g/sqrt(D) + tau k_g) - a_g' w(tau))^2 = d0 + 2 tau d1 + tau^2 d2,

and its |t| is at least the observed one where n(tau)^2 >= tau^2 d(tau). So five numbers a draw give
the p-value of every null value, and with it all values that are not rejected (`confidence_sets`).
Without the null imposed n1, d1 and d2 are zero. The other members of the family have other z_g,
y_g, a_g, q_g, k_g and D (`wild_scores`), and the same polynomials. With w(tau) = w0 + tau w1,
multiplied out, they are, but for the factors of D,

    d0 = sum v_g^2 q_g^2 - w0' e0,    e0 = sum v_g (2 q_g a_g - P z_g),    P = sum a_g a_g',
    d2 = sum v_g^2 k_g^2 - w1' e1,    e1 = sum v_g (2 k_g a_g - P y_g),
    d1 = sum v_g^2 q_g k_g - (w0' e1 + w1' e0) / 2:

one product of matrices with the weights of all draws, and sums of p terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.inference import CONFIDENCE
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.confidence_set import ConfidenceSet, Search, confidence_sets
from clustrategy.estimation.resampling import all_signs, are_few
from clustrategy.estimation.wild_scores import (
    SCORES,
    Parts,
    Sums,
    Variant,
    least_squares,
)

TIE_TOLERANCE = 1e-9
"""Relative difference of squared t statistics below which they count as tied."""

NO_PART = 1e-20
"""A coefficient does not depend on clusters whose k is no larger: there its predictor is a linear
combination of the others. (The k are shares of its partial leverage; they sum to one.)"""

ROUNDING = 1e-13
"""A d2 no larger than this share of its first sum is zero but for rounding."""

SOME = 8
"""Clusters that nearly all draws give more weights than one."""

ELEMENTS_AT_ONCE = 2**17
"""How many elements of `Linear.rows` are held at once."""

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
    shard: Shard,
    nulls: Floats | None,
    variant: Variant,
    impose_null: bool,
    weights: Weights,
    draws: int,
) -> Fits:
    """Fit ordinary least squares with tests and intervals by the wild cluster bootstrap.

    Parameters
    ----------
    shard : Shard
        The datasets.
    nulls : (S, p, K) array, optional
        Further null values of each coefficient to test.
    variant : str
        The member of the family: C, S, V or B.
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
        Standard errors are CR1's, of V and B CV3's; a constant factor of the variance (CR0, CR1S,
        CR3) changes no p-value and no limit. There are no degrees of freedom. The p-value is the
        share of draws with |t*| >= |t|, and the interval is the widest around the estimate in which
        this test rejects no value.

    Notes
    -----
    With Rademacher weights all sign vectors are taken, instead of random ones, where those that
    have +1 in the first cluster are at most `draws`: 2^(G-1), for a vector and its opposite have
    the same |t*|. `p_value_low` is the share with |t*| > |t| where that differs: under the null
    imposed, and residuals that are not jackknifed, the vector of ones gives back the data, so that
    not a p-value but an interval is identified (Webb 2023, Canadian J. Econ. 56, 839-858).

    With the null imposed the p-value need not fall steadily away from the estimate. Where values
    outside the interval are not rejected either, the message says so and names the coefficients.
    So a value that is rejected is outside the interval, and one that is not is inside unless the
    message tells otherwise. A limit is infinite where no value on its side is rejected.

    The random weights follow from the dataset's seed, not from its numbers: to add X b to the
    response moves the interval by b and changes no weight. All coefficients share them.
    """
    if nulls is None:
        nulls = np.empty((shard.sims, shard.p, 0))
    fits, parts = least_squares(shard, variant, nulls.shape[2])
    estimate, unit = parts.solution.estimate, np.sqrt(parts.squares)
    usable = np.flatnonzero(fits.status == "ok")
    at_once = max(1, ELEMENTS_AT_ONCE // (3 * shard.clusters * (shard.p + 1) ** 2))
    for start in range(0, usable.size, at_once):
        sims = usable[start : start + at_once]
        linear = Linear.of(parts, sims, impose_null)
        searches: list[Search] = []
        for place, sim in enumerate(map(int, sims)):
            there = sim, np.flatnonzero(np.isfinite(fits.std_error[sim]))
            v = weights_of(shard, sim, weights, draws)
            squared = np.ones((shard.clusters, 1)) if weights == "rademacher" else v * v
            draw = Draws.of(linear, place, there[1], v, squared)
            fits.p_value[there], above = draw.shares(estimate[there] / unit[there])
            fits.p_value_low[there] = np.where(above < fits.p_value[there], above, np.nan)
            if nulls.shape[2]:
                taus = (estimate[there] - nulls[there].T) / unit[there]
                fits.p_nulls[there] = draw.shares(taus)[0].T
            most = _most(v.shape[1])
            searches.append(Search.begin(draw.polynomials(), most))
        _set_limits(fits, sims, confidence_sets(searches, most), unit, shard.terms)
    return fits


def _set_limits(
    fits: Fits, sims: Ints, sets: ConfidenceSet, unit: Floats, terms: Sequence[str]
) -> None:
    """Write the limits of the coefficients of some datasets that are tested, and tell islands."""
    place, term = np.nonzero(np.isfinite(fits.std_error[sims]))
    there = sims[place], term
    fits.conf_low[there] = fits.estimate[there] - unit[there] * sets.high
    fits.conf_high[there] = fits.estimate[there] - unit[there] * sets.low
    for one in np.unique(place[sets.islands]):
        names = np.asarray(terms)[term[sets.islands & (place == one)]]
        fits.tell(sims[one], f"{ISLANDS}: {', '.join(names)}")


class Linear(NamedTuple):
    """What the draws of S datasets are made from by one product with the weights.

    Attributes
    ----------
    rows : (S, R, G) array
        What gives n0 (p rows), w0 (p, or p p if they differ), e0 (p p) and, with the null imposed,
        n1 (p), w1 (p p) and e1 (p p), but for the factors of D.
    squares : (S, 1 or 3, p, G) array
        What gives the sums over v_g^2 in d0, d1 and d2.
    spread : (S, p) array
        sqrt(D) of each coefficient; not finite where it is not tested.
    matters : (S, p, G) array of bool, optional
        Which clusters have a part in each coefficient, or in the residuals of those that have one:
        None where a draw with one weight for all of them does not give back the data.
    """

    rows: Floats
    squares: Floats
    spread: Floats
    matters: NDArray[np.bool_] | None

    @classmethod
    def of(cls, parts: Parts, sims: Ints, impose_null: bool) -> Linear:
        """Prepare some datasets.

        Parameters
        ----------
        parts : Parts
            Of the shard.
        sims : (S,) array of int
            Which datasets.
        impose_null : bool
            As of `fit_wild_bootstrap`.

        Returns
        -------
        Linear
        """
        root = parts.solution.root[sims]
        length = np.sqrt((root * root).sum(axis=2))
        z, y, q, k, a = Sums.of(parts, sims, root / length[..., None], impose_null)
        S, p, _, G = a.shape
        products = a @ np.swapaxes(a, 2, 3)
        direction = root / length[..., None]
        rows = [_along(direction, z), z.reshape(S, -1, G), _cross(q, a, products, z)]
        squares = [q * q]
        if impose_null:
            rows += [_along(direction, y), y.reshape(S, -1, G), _cross(k, a, products, y)]
            squares += [q * k, k * k]
        spread = np.sqrt(parts.squares[sims]) / length
        matters = None if parts.variant in SCORES else _matters(parts.half[sims], a, k)
        return cls(np.concatenate(rows, axis=1), np.stack(squares, axis=1), spread, matters)


def _along(direction: Floats, scores: Floats) -> Floats:
    """Return the rows of n0 or n1, (S, p, G)."""
    return np.asarray((direction[:, :, None] @ scores)[:, :, 0])


def _cross(along: Floats, a: Floats, products: Floats, scores: Floats) -> Floats:
    """Return the rows of e0 or e1, (S, p p, G)."""
    S, p, _, G = a.shape
    return (2.0 * along[:, :, None] * a - products @ scores).reshape(S, p * p, G)


def _matters(half: Floats, a: Floats, k: Floats) -> NDArray[np.bool_]:
    """Tell which clusters have a part in each coefficient or in what depends on it, (S, p, G)."""
    matters = k > NO_PART
    sim, row = np.nonzero(~matters.all(axis=2))
    triangles = np.linalg.qr(np.swapaxes(a[sim, row], 1, 2), mode="r")
    spilled = (half[sim] @ np.swapaxes(triangles, 1, 2)[:, None]) ** 2
    matters[sim, row] |= spilled.sum(axis=(2, 3)) > NO_PART
    return matters


class Draws(NamedTuple):
    """The numbers of each draw that the tests need, as the module defines them.

    Attributes
    ----------
    n0, n1, d0, d1, d2 : (q, B) array
        Coefficients of the polynomials n(tau) and d(tau).
    """

    n0: Floats
    n1: Floats
    d0: Floats
    d1: Floats
    d2: Floats

    @classmethod
    def of(
        cls, linear: Linear, place: int, tested: Ints, weights: Floats, squared: Floats
    ) -> Draws:
        """Draw from one dataset.

        Parameters
        ----------
        linear : Linear
            Of several datasets.
        place : int
            Which of them.
        tested : (q,) array of int
            Of which coefficients.
        weights : (G, B) array
            v.
        squared : (G, B) or (G, 1) array
            Their squares, once where they are the same in all draws.

        Returns
        -------
        Draws
        """
        p = linear.spread.shape[1]
        drawn = linear.rows[place] @ weights
        sums = linear.squares[place] @ squared
        imposed = len(sums) > 1
        first = drawn[: len(drawn) - imposed * (p + 2 * p * p)]
        n0, w0, e0 = first[:p], first[p : -p * p], first[-p * p :]
        w0, e0 = w0.reshape(-1, p, w0.shape[1]), e0.reshape(p, p, -1)
        unit = 1.0 / linear.spread[place][:, None]
        n0 = n0 * unit
        d0 = (sums[0] - _inner(w0, e0)) * (unit * unit)
        n1 = d1 = d2 = np.zeros_like(n0)
        if imposed:
            n1, w1, e1 = np.split(drawn[len(first) :], [p, p + p * p])
            w1, e1 = w1.reshape(p, p, -1), e1.reshape(p, p, -1)
            d1 = (sums[1] - 0.5 * (_inner(w0, e1) + _inner(w1, e0))) * unit
            d2 = sums[2] - _inner(w1, e1)
            nothing = d2 <= ROUNDING * sums[2]
            d1[nothing] = d2[nothing] = 0.0
        if linear.matters is not None:
            # A draw that multiplies by one number all residuals that the coefficient depends on,
            # and all that, fitted anew, change those, gives back t, to the last digit.
            same, once = same_weight(weights, linear.matters[place])
            once = once[same]
            n0[same], d0[same] = 0.0, once * once
            if imposed:
                n1[same], d1[same], d2[same] = once, 0.0, 0.0
        draws = cls(n0, n1, d0, d1, d2)
        return draws if tested.size == p else cls(*(one[tested] for one in draws))

    def shares(self, tau: Floats) -> tuple[Floats, Floats]:
        """Return the shares of draws with |t*| >= |t| and with |t*| > |t|.

        Parameters
        ----------
        tau : (q,) or (K, q) array
            The null value of each coefficient, or K of them.

        Returns
        -------
        reach, exceed : (q,) or (K, q) array
        """
        tau = tau[..., None]
        n = tau * self.n1
        n += self.n0
        n *= n
        d = tau * self.d2
        d += 2.0 * self.d1
        d *= tau
        d += self.d0
        d *= tau * tau
        reach = np.count_nonzero(n >= (1.0 - TIE_TOLERANCE) * d, axis=-1)
        exceed = np.count_nonzero(n >= (1.0 + TIE_TOLERANCE) * d, axis=-1)
        return reach / n.shape[-1], exceed / n.shape[-1]

    def polynomials(self) -> Floats:
        """Return what is not negative where |t*| >= |t|, (5, q, B), the lowest power first."""
        tie = 1.0 - TIE_TOLERANCE
        polynomials = np.empty((5, *self.n0.shape))
        np.multiply(self.n0, self.n0, out=polynomials[0])
        np.multiply(2.0 * self.n0, self.n1, out=polynomials[1])
        np.subtract(self.n1 * self.n1, tie * self.d0, out=polynomials[2])
        np.multiply(-2.0 * tie, self.d1, out=polynomials[3])
        np.multiply(-tie, self.d2, out=polynomials[4])
        return polynomials


def _inner(one: Floats, other: Floats) -> Floats:
    """Sum the products of (p or 1, p, B) and (p, p, B) over the middle axis."""
    return np.asarray(np.einsum("jrb,jrb->jb", one, other))


def _most(draws: int) -> int:
    """Return how many of some draws may reach |t| where it still is rejected."""
    return int(np.floor((1.0 - CONFIDENCE) * draws + 1e-9))


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
    alike = (weights[:SOME] == weights[0]).all(axis=0)
    alike[alike] = (weights[:, alike] == weights[0, alike]).all(axis=0)
    same = np.tile(alike, (len(matters), 1))
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
    if weights == "rademacher":
        return (2 * rng.integers(2, size=(G, draws), dtype=np.int8) - 1).astype(np.float64)
    if weights == "mammen":
        # Mean zero: the larger point is as much rarer as it is larger.
        return points[(rng.random((G, draws)) < -points[0] / np.sqrt(5.0)).astype(np.int8)]
    return points[rng.integers(points.size, size=(G, draws), dtype=np.int8)]

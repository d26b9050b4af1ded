"""What a simulation must find: designs in which the answers are known.

In balanced designs with normal errors an estimate T of theta is normal, and its variance estimate V
is independent of it and a sum of chi-squares: V / Var(T) ~ sum_j w_j chi2(nu_j). All that a
simulation measures of T and V follows from the w_j and nu_j (`Wald`); a single chi-square gives
Student's t up to a factor, several the quadratic forms of Imhof (1961, Biometrika 48, 419-426).

`Arms` are designs with k arms of equal size, given to whole clusters or, alike in every cluster,
to its rows; the functions that take one give the `Wald` of a strategy's coefficient. The model is
`DV ~ arm`, the first coefficient that of the reference arm, the others differences from it. With G
clusters of n rows, a = G / k, r = n / k, intercepts with standard deviation tau_0 and differences
with tau_1 between clusters, errors sigma:

- between: the mean of a cluster has variance v_0 = tau_0^2 + sigma^2/n in the reference arm and
  v_1 = v_0 + tau_1^2 in the others; T is a difference of two means of a clusters each;
- within: a cluster's own difference has variance tau_1^2 + 2 sigma^2/r; T is the mean of G.

Predictors that are continuous and random give variances alone: the last functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.integrate import quad
from scipy.special import bdtr, fdtr, gammaln, nctdtr, ndtr, stdtr, stdtrit

LEVEL = 0.05


@dataclass(frozen=True)
class Wald:
    """The test and interval of one coefficient: T / sqrt(V) against t(df).

    Attributes
    ----------
    variance : of T.
    weights, chi2_df : the w_j and nu_j of V / Var(T) = sum_j w_j chi2(nu_j).
    df : of the t distribution that the strategy refers to; infinite for the normal; NaN where it
        differs from dataset to dataset, so that rates and widths have no closed form.
    """

    variance: float
    weights: Sequence[float]
    chi2_df: Sequence[float]
    df: float

    def _cumulant(self, order: int) -> float:
        """Of V / Var(T)."""
        factorial = {1: 1.0, 2: 1.0, 3: 2.0, 4: 6.0}[order]
        powers = (nu * w**order for w, nu in zip(self.weights, self.chi2_df, strict=True))
        return 2.0 ** (order - 1) * factorial * sum(powers)

    @property
    def scale(self) -> float:
        """E(V) / Var(T): 1 where V is unbiased."""
        return self._cumulant(1)

    @property
    def variance_df(self) -> float:
        """2 E(V)^2 / Var(V), the degrees of freedom of Satterthwaite's (1946) approximation."""
        return 2.0 * self._cumulant(1) ** 2 / self._cumulant(2)

    @property
    def log_variance_df_variance(self) -> float:
        """n times the variance of log(2 mean(V)^2 / var(V)) in n datasets, by the delta method."""
        k1, k2, k3, k4 = (self._cumulant(order) for order in (1, 2, 3, 4))
        return 4.0 * k2 / k1**2 + k4 / k2**2 + 2.0 - 4.0 * k3 / (k2 * k1)

    @cached_property
    def critical_value(self) -> float:
        """What |T| / sqrt(V) must exceed."""
        return float(stdtrit(self.df, 1.0 - LEVEL / 2.0))

    def rejection(self, theta: float = 0.0) -> float:
        """P(|T| > c sqrt(V)): the false-positive rate, or power where `theta` is not 0."""
        delta = theta / np.sqrt(self.variance)
        if len(self.weights) == 1:
            t = self.critical_value * np.sqrt(self.scale)
            return _two_tails(self.chi2_df[0], t, delta)
        against = [-(self.critical_value**2) * w for w in self.weights]
        return imhof([1.0, *against], [1.0, *self.chi2_df], [delta**2, *(0.0 for _ in against)])

    @property
    def coverage(self) -> float:
        """Of the interval T +- c sqrt(V)."""
        return 1.0 - self.rejection()

    @cached_property
    def mean_root(self) -> float:
        """E sqrt(V / Var(T)).

        Of one chi-square by the gamma function, of several as
        pi^(-1/2) int_0^inf (1 - M(-s^2)) / s^2 ds, M the moment generating function.
        """
        if len(self.weights) == 1:
            nu = self.chi2_df[0]
            log = gammaln((nu + 1.0) / 2.0) - gammaln(nu / 2.0)
            return float(np.sqrt(2.0 * self.weights[0]) * np.exp(log))
        weights, nus = np.asarray(self.weights), np.asarray(self.chi2_df)

        def integrand(s: float) -> float:
            log = -0.5 * float((nus * np.log1p(2.0 * weights * s * s)).sum())
            return -np.expm1(log) / (s * s)

        near, _ = quad(integrand, 0.0, 1.0, epsabs=0.0, epsrel=1e-11)
        far, _ = quad(integrand, 1.0, np.inf, epsabs=0.0, epsrel=1e-11)
        return float((near + far) / np.sqrt(np.pi))

    @property
    def interval_width(self) -> float:
        """The mean width of the interval."""
        return 2.0 * self.critical_value * np.sqrt(self.variance) * self.mean_root

    @property
    def interval_width_sd(self) -> float:
        """The standard deviation of the interval's width."""
        spread = np.sqrt(self.scale - self.mean_root**2)
        return float(2.0 * self.critical_value * np.sqrt(self.variance) * spread)


def _two_tails(df: float, t: float, delta: float) -> float:
    """P(|t'| > t), t' noncentral t."""
    if delta == 0.0:
        return float(2.0 * stdtr(df, -t))
    return float(1.0 - nctdtr(df, delta, t) + nctdtr(df, delta, -t))


def imhof(weights: Sequence[float], df: Sequence[float], noncentrality: Sequence[float]) -> float:
    """P(sum_j weights_j chi2(df_j, noncentrality_j) > 0), Imhof (1961), equation 3.2."""
    w, h, d = (np.asarray(values, dtype=float) for values in (weights, df, noncentrality))
    w = w / np.abs(w).max()

    def integrand(u: float) -> float:
        wu = w * u
        squares = wu * wu
        angle = 0.5 * float((h * np.arctan(wu) + d * wu / (1.0 + squares)).sum())
        log = float((0.25 * h * np.log1p(squares) + 0.5 * d * squares / (1.0 + squares)).sum())
        return np.sin(angle) * np.exp(-log) / u

    parts = [(0.0, 0.1), (0.1, 1.0), (1.0, 10.0), (10.0, np.inf)]
    total = sum(quad(integrand, *ends, epsabs=1e-12, epsrel=1e-10, limit=500)[0] for ends in parts)
    return 0.5 + total / np.pi


@dataclass(frozen=True)
class Arms:
    """A balanced design of arms; see the module.

    Attributes
    ----------
    treatment : whether whole clusters or rows within each cluster have the arms.
    clusters, rows, arms : G, n, k.
    intercept_sd, slope_sd, residual_sd : tau_0, tau_1, sigma.
    """

    treatment: Literal["between", "within"]
    clusters: int
    rows: int
    arms: int
    intercept_sd: float
    slope_sd: float
    residual_sd: float

    def __post_init__(self) -> None:
        """Refuse arms of different sizes."""
        units = self.clusters if self.treatment == "between" else self.rows
        if units % self.arms:
            raise ValueError(f"{units} cannot be divided among {self.arms} arms")

    @property
    def between(self) -> bool:
        """Whether whole clusters have the arms."""
        return self.treatment == "between"

    @property
    def per_arm(self) -> int:
        """a clusters, or r rows of each cluster."""
        return (self.clusters if self.between else self.rows) // self.arms

    @property
    def observations(self) -> int:
        """N."""
        return self.clusters * self.rows

    @property
    def leverage(self) -> float:
        """h, the one eigenvalue of H_gg that is not 0: a cluster's share in what it is part of."""
        return 1.0 / (self.per_arm if self.between else self.clusters)

    @property
    def summary_variances(self) -> tuple[float, float]:
        """v_0 and v_1 of clusters' means, or the variances of clusters' own coefficients."""
        tau_0, tau_1, errors = (
            sd**2 for sd in (self.intercept_sd, self.slope_sd, self.residual_sd)
        )
        if self.between:
            reference = tau_0 + errors / self.rows
            return reference, reference + tau_1
        return tau_0 + errors / self.per_arm, tau_1 + 2.0 * errors / self.per_arm

    def variance(self, column: int) -> float:
        """Of the estimate of a coefficient, 0 the intercept; of every strategy here the same."""
        first, second = self.summary_variances
        if self.between:
            return (first + second if column else first) / self.per_arm
        return (second if column else first) / self.clusters

    def _wald(
        self, column: int, df: float, factor: float, parts: Sequence[tuple[float, float]]
    ) -> Wald:
        """V = factor sum_j lambda_j chi2(nu_j), from pairs (lambda_j, nu_j); equal ones joined."""
        variance = self.variance(column)
        joined: dict[float, float] = {}
        for value, nu in parts:
            joined[value] = joined.get(value, 0.0) + nu
        kept = {value: nu for value, nu in joined.items() if value > 0.0 and nu > 0.0}
        weights = [factor * value / variance for value in kept]
        return Wald(variance, weights, list(kept.values()), df)

    @property
    def _row_eigenvalues(self) -> list[tuple[float, float]]:
        """Of the residual sum of squares of rows about the arms' means, as (lambda, nu)."""
        errors = self.residual_sd**2
        G, n, k = self.clusters, self.rows, self.arms
        if self.between:
            first, second = self.summary_variances
            inner = [(errors, float(G * (n - 1)))]
            a = self.per_arm
            return [(n * first, a - 1.0), (n * second, (k - 1.0) * (a - 1.0)), *inner]
        return [(value, G - 1.0) for value in self._arm_eigenvalues(np.eye(k))] + [
            (errors, float(G * (n - k)))
        ]

    def _arm_eigenvalues(self, projection: np.ndarray) -> list[float]:
        """Of r times the covariance of a cluster's k arm means, projected; rounded to join ties."""
        k, r = self.arms, self.per_arm
        own = self.slope_sd**2 * np.diag([0.0] + [1.0] * (k - 1))
        whole = r * (self.intercept_sd**2 * np.ones((k, k)) + own)
        values = np.linalg.eigvalsh(projection @ whole @ projection) + self.residual_sd**2
        dropped = k - round(float(np.trace(projection)))
        return [float(f"{value:.12g}") for value in sorted(values)[dropped:]]


def cluster_robust(design: Arms, column: int, variance: str, df: str) -> Wald:
    """Least squares with a cluster-robust variance.

    H_gg has the one eigenvalue h, so CR0 is (1 - h) of the unbiased variance, CR2 (1 - h)^0, CR3
    (1 - h)^-1 (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018, JBES 36, 672-683); the unbiased
    one has a - 1 degrees of freedom for each arm that is in the coefficient, or G - 1.
    """
    G, N, k, h = design.clusters, design.observations, design.arms, design.leverage
    cr1 = G / (G - 1.0)
    factor = {
        "CR0": 1.0,
        "CR1": cr1,
        "CR1S": cr1 * (N - 1.0) / (N - k),
        "pymer4": cr1 * N / (N - k),
        "CR2": 1.0 / (1.0 - h),
        "CR3": (1.0 - h) ** -2,
        "CV3": (G - 1.0) / G * (1.0 - h) ** -2,
    }[variance]
    first, second = design.summary_variances
    if design.between:
        arms = [first, second] if column else [first]
        parts = [(value, design.per_arm - 1.0) for value in arms]
    else:
        parts = [(second if column else first, G - 1.0)]
    satterthwaite = sum(nu for _, nu in parts)
    reference = {
        "G-1": G - 1.0,
        "G-p": float(G - k),
        "N-p": float(N - k),
        "satterthwaite": satterthwaite,
        "normal": np.inf,
    }[df]
    return design._wald(column, reference, factor * h**2, parts)


def two_stage(design: Arms, column: int) -> Wald:
    """The mean of the clusters' own coefficients, where rows within clusters have the arms."""
    return cluster_robust(design, column, "CR2", "G-1")


def least_squares(design: Arms, column: int) -> Wald:
    """Least squares whose standard errors ignore the clusters (Moulton 1986), t with N - p df."""
    N, k = design.observations, design.arms
    cells = (1.0 if column == 0 else 2.0) * k / N
    return design._wald(column, float(N - k), cells / (N - k), design._row_eigenvalues)


def _within_eigenvalues(design: Arms) -> list[tuple[float, float]]:
    """Of the residual sum of squares once the clusters' means are taken out."""
    G, n, k = design.clusters, design.rows, design.arms
    projection = np.eye(k) - 1.0 / k
    errors = (design.residual_sd**2, float(G * (n - k)))
    return [(value, G - 1.0) for value in design._arm_eigenvalues(projection)] + [errors]


def random_intercept(design: Arms, column: int) -> Wald:
    """The mixed model with a random intercept by REML, Satterthwaite's df, off its boundary.

    between: the pooled t test on the clusters' means (Donald & Lang 2007, REStat 89, 221-233).
    within: differences have the mean square of what is left within clusters; the intercept's
    variance is a sum of two mean squares whose df vary with the data, and simple where
    differences do not vary between clusters.
    """
    G, n, k = design.clusters, design.rows, design.arms
    first, second = design.summary_variances
    if design.between:
        a = design.per_arm
        parts = [(first, a - 1.0), (second, (k - 1.0) * (a - 1.0))]
        arms = 2.0 if column else 1.0
        return design._wald(column, float(G - k), arms / (a * (G - k)), parts)
    if column:
        df = float(G * n - G - (k - 1))
        return design._wald(column, df, 2.0 / (G * n / k) / df, _within_eigenvalues(design))
    if design.slope_sd:
        raise ValueError("no closed form where the differences vary between clusters")
    errors, df = design.residual_sd**2, G * (n - 1.0) - (k - 1.0)
    means = n * design.intercept_sd**2 + errors
    inner = errors * (k - 1.0) / (G * n * df)
    return design._wald(0, np.nan, 1.0, [(means / (G * n * (G - 1.0)), G - 1.0), (inner, df)])


def boundary_probability(design: Arms) -> float:
    """How often the random intercept's variance is estimated as 0: MS between below MS within.

    Exact where the differences do not vary between clusters, else by F with the expected squares.
    """
    G, n, k = design.clusters, design.rows, design.arms
    errors = design.residual_sd**2
    if design.between:
        first, second = design.summary_variances
        between, df = n * (first + (k - 1.0) * second) / k, G - k
        within, rest = errors, G * (n - 1)
    else:
        tau_0, tau_1 = design.intercept_sd**2, design.slope_sd**2
        between, df = n * (tau_0 + (k - 1.0) / k**2 * tau_1) + errors, G - 1
        parts = _within_eigenvalues(design)
        rest = int(sum(nu for _, nu in parts))
        within = sum(value * nu for value, nu in parts) / rest
    return float(fdtr(df, rest, within / between))


def two_stage_variance(
    clusters: int, rows: int, slopes: int, slope_sd: float, residual_sd: float
) -> float:
    """Of a two-stage slope where the predictors are standard normal; infinite up to p + 2 rows.

    (tau^2 + sigma^2 E[(X'X)^-1]_kk) / G, the expectation that of an inverse Wishart matrix,
    1 / (n - p - 2).
    """
    room = rows - slopes - 2
    return (slope_sd**2 + residual_sd**2 / room) / clusters if room > 0 else np.inf


def two_stage_kurtosis(
    clusters: int, rows: int, slopes: int, slope_sd: float, residual_sd: float
) -> float:
    """The kurtosis of the same; infinite up to p + 4 rows.

    Given its predictor a cluster's slope is normal with variance tau^2 + sigma^2 / chi2(n - p).
    """
    nu = rows - slopes
    if nu <= 4:
        return np.inf
    spread = residual_sd**4 * 2.0 / ((nu - 2.0) ** 2 * (nu - 4.0))
    mean = slope_sd**2 + residual_sd**2 / (nu - 2.0)
    return 3.0 + 3.0 * spread / mean**2 / clusters


def within_variance(clusters: int, rows: int, slope_sd: float, residual_sd: float) -> float:
    """Of the slope of one standard normal predictor with clusters as fixed effects.

    The sum of (S_j / sum S)^2 (tau^2 + sigma^2 / S_j), S_j ~ chi2(n - 1): shares of a Dirichlet
    distribution and the inverse of a chi-square.
    """
    half = (rows - 1) / 2.0
    shares = (half + 1.0) / (clusters * half + 1.0)
    return slope_sd**2 * shares + residual_sd**2 / (clusters * (rows - 1) - 2.0)


def random_intercept_rejection(
    rows: int, slopes: int, slope_sd: float, residual_sd: float
) -> float:
    """The false-positive rate, near enough, of a random intercept where slopes vary as well.

    The true variance of a slope is lambda = (sigma^2 + tau^2 (n + p)) / (sigma^2 + tau^2 p) times
    what the model takes it for, with many clusters and standard normal predictors.
    """
    errors, tau = residual_sd**2, slope_sd**2
    inflation = (errors + tau * (rows + slopes)) / (errors + tau * slopes)
    return float(2.0 * ndtr(stdtrit(np.inf, LEVEL / 2.0) / np.sqrt(inflation)))


def sign_flip_rejection(clusters: int, draws: int) -> float:
    """The exact size of a test by random signs of the mean of symmetric cluster summaries.

    Of the M = 2^(G-1) ways to part the clusters that of the data has rank J, uniform on 1 to M.
    All are tried where they are at most the draws, so p = J / M. Else B ~ Binomial(draws, J / M)
    draws are as extreme, and p is (1 + B) / (draws + 1) (Phipson & Smyth 2010, equation 3) or
    B / draws, which reject alike where LEVEL (draws + 1) is a whole number. The wild cluster
    bootstrap with its null imposed and Rademacher weights is this test where all clusters have the
    same design.
    """
    partitions = 2.0 ** (clusters - 1)
    if partitions <= draws:
        return float(np.floor(LEVEL * partitions)) / partitions
    most = round(LEVEL * (draws + 1)) - 1
    if partitions > 2**20:
        return (most + 1.0) / (draws + 1.0)
    shares = np.arange(1.0, partitions) / partitions
    return float(bdtr(most, draws, shares).sum()) / partitions

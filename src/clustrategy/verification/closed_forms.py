"""Designs in which it is known what a simulation must find.

In balanced designs with normal errors an estimate T of theta is normal. Its variance estimate V is
independent of it and a sum of chi-squares: V / Var(T) ~ sum_j w_j chi2(nu_j). Everything that a
simulation measures of T and V follows from the w_j and nu_j (`Wald`): a single chi-square gives
Student's t up to a factor, several give the quadratic forms of Imhof (1961, Biometrika 48,
419-426).

`Arms` are designs with k arms of equal size, given to whole clusters or, alike in every cluster,
to its rows. The functions that take such a design return the `Wald` of a strategy's coefficient.
The model is `DV ~ arm`; the first coefficient is that of the reference arm, the others are
differences from it. There are G clusters of n rows, a = G / k clusters or r = n / k rows per arm.
Between clusters intercepts have the standard deviation tau_0, differences tau_1; errors have sigma:

- between: the mean of a cluster has variance v_0 = tau_0^2 + sigma^2/n in the reference arm and
  v_1 = v_0 + tau_1^2 in the others; T is a difference of two means of a clusters each;
- within: a cluster's own difference has variance tau_1^2 + 2 sigma^2/r; T is the mean of G.

For continuous, random predictors only variances are known; the last functions give them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.integrate import quad
from scipy.special import bdtr, betaln, fdtr, gammaln, nctdtr, ndtr, stdtr, stdtrit

LEVEL = 0.05


@dataclass(frozen=True)
class Wald:
    """The test and interval of one coefficient: T / sqrt(V) against t(df).

    Attributes
    ----------
    variance : float
        Var(T).
    weights, chi2_df : Sequence of float
        The w_j and nu_j of V / Var(T) = sum_j w_j chi2(nu_j).
    df : float
        The degrees of freedom of the t distribution that the strategy refers to, infinite for the
        normal. NaN if they differ between datasets, so that rates and widths have no closed form.
    """

    variance: float
    weights: Sequence[float]
    chi2_df: Sequence[float]
    df: float

    def _cumulant(self, order: int) -> float:
        """Return a cumulant of V / Var(T)."""
        factorial = {1: 1.0, 2: 1.0, 3: 2.0, 4: 6.0}[order]
        powers = (nu * w**order for w, nu in zip(self.weights, self.chi2_df, strict=True))
        return 2.0 ** (order - 1) * factorial * sum(powers)

    @property
    def scale(self) -> float:
        """E(V) / Var(T), which is 1 if V is unbiased."""
        return self._cumulant(1)

    @property
    def variance_df(self) -> float:
        """2 E(V)^2 / Var(V), the degrees of freedom of Satterthwaite's (1946) approximation."""
        return 2.0 * self._cumulant(1) ** 2 / self._cumulant(2)

    @property
    def log_variance_df_variance(self) -> float:
        """The variance of log(2 mean(V)^2 / var(V)) of n datasets, times n (delta method)."""
        k1, k2, k3, k4 = (self._cumulant(order) for order in (1, 2, 3, 4))
        return 4.0 * k2 / k1**2 + k4 / k2**2 + 2.0 - 4.0 * k3 / (k2 * k1)

    @cached_property
    def critical_value(self) -> float:
        """What |T| / sqrt(V) must exceed."""
        return float(stdtrit(self.df, 1.0 - LEVEL / 2.0))

    def rejection(self, theta: float = 0.0) -> float:
        """Return P(|T| > c sqrt(V)): the false-positive rate, or power if `theta` is not 0."""
        delta = theta / np.sqrt(self.variance)
        if len(self.weights) == 1:
            t = self.critical_value * np.sqrt(self.scale)
            return _two_tails(self.chi2_df[0], t, delta)
        against = [-(self.critical_value**2) * w for w in self.weights]
        return imhof([1.0, *against], [1.0, *self.chi2_df], [delta**2, *(0.0 for _ in against)])

    @property
    def coverage(self) -> float:
        """The coverage of the interval T +- c sqrt(V)."""
        return 1.0 - self.rejection()

    @cached_property
    def mean_root(self) -> float:
        """E sqrt(V / Var(T)).

        For one chi-square it follows from the gamma function, for several it is
        pi^(-1/2) int_0^inf (1 - M(-s^2)) / s^2 ds with M the moment generating function.
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
    """Return P(|t'| > t) for a noncentral t'."""
    if delta == 0.0:
        return float(2.0 * stdtr(df, -t))
    return float(1.0 - nctdtr(df, delta, t) + nctdtr(df, delta, -t))


def imhof(weights: Sequence[float], df: Sequence[float], noncentrality: Sequence[float]) -> float:
    """Return P(sum_j weights_j chi2(df_j, noncentrality_j) > 0), Imhof (1961), equation 3.2."""
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
    treatment : {"between", "within"}
        Whether whole clusters or the rows within each cluster have the arms.
    clusters, rows, arms : int
        G, n, k.
    intercept_sd, slope_sd, residual_sd : float
        tau_0, tau_1, sigma.
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
        """The clusters of an arm, a, or its rows in each cluster, r."""
        return (self.clusters if self.between else self.rows) // self.arms

    @property
    def observations(self) -> int:
        """The rows of all clusters, N."""
        return self.clusters * self.rows

    @property
    def leverage(self) -> float:
        """The one eigenvalue h of H_gg that is not 0: a cluster's share of its arm, or of all."""
        return 1.0 / (self.per_arm if self.between else self.clusters)

    @property
    def summary_variances(self) -> tuple[float, float]:
        """The v_0 and v_1 of clusters' means, or the variances of clusters' own coefficients."""
        tau_0, tau_1, errors = (
            sd**2 for sd in (self.intercept_sd, self.slope_sd, self.residual_sd)
        )
        if self.between:
            reference = tau_0 + errors / self.rows
            return reference, reference + tau_1
        return tau_0 + errors / self.per_arm, tau_1 + 2.0 * errors / self.per_arm

    def variance(self, column: int) -> float:
        """Return the variance of a coefficient's estimate, the same by every strategy.

        Column 0 is the intercept.
        """
        first, second = self.summary_variances
        if self.between:
            return (first + second if column else first) / self.per_arm
        return (second if column else first) / self.clusters

    def _wald(
        self, column: int, df: float, factor: float, parts: Sequence[tuple[float, float]]
    ) -> Wald:
        """Return the Wald of V = factor sum_j lambda_j chi2(nu_j), from pairs (lambda_j, nu_j)."""
        variance = self.variance(column)
        joined: dict[float, float] = {}
        for value, nu in parts:
            joined[value] = joined.get(value, 0.0) + nu
        kept = {value: nu for value, nu in joined.items() if value > 0.0 and nu > 0.0}
        weights = [factor * value / variance for value in kept]
        return Wald(variance, weights, list(kept.values()), df)

    @property
    def _row_eigenvalues(self) -> list[tuple[float, float]]:
        """The eigenvalues of the rows' sum of squares about the arms' means, as (lambda, nu)."""
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
        """Return the eigenvalues of r times the projected covariance of a cluster's k arm means.

        They are rounded, so that ties are equal.
        """
        k, r = self.arms, self.per_arm
        own = self.slope_sd**2 * np.diag([0.0] + [1.0] * (k - 1))
        whole = r * (self.intercept_sd**2 * np.ones((k, k)) + own)
        values = np.linalg.eigvalsh(projection @ whole @ projection) + self.residual_sd**2
        dropped = k - round(float(np.trace(projection)))
        return [float(f"{value:.12g}") for value in sorted(values)[dropped:]]


def cluster_robust(design: Arms, column: int, variance: str, df: str) -> Wald:
    """Return the Wald of least squares with a cluster-robust variance.

    As H_gg has the one eigenvalue h, CR0 is (1 - h) times the unbiased variance, CR2 the unbiased
    variance itself and CR3 (1 - h)^-1 times it. The unbiased variance has a - 1 degrees of freedom
    for each arm that is in the coefficient, or G - 1.

    References
    ----------
    Bell & McCaffrey (2002), Survey Methodology 28, 169-181; Pustejovsky & Tipton (2018), JBES 36,
    672-683.
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
    """Return the Wald of the mean of the clusters' own coefficients, arms within clusters."""
    return cluster_robust(design, column, "CR2", "G-1")


def least_squares(design: Arms, column: int) -> Wald:
    """Return the Wald of least squares whose standard errors ignore the clusters.

    The test is by t with N - p df (Moulton 1986, Journal of Econometrics 32, 385-397).
    """
    N, k = design.observations, design.arms
    cells = (1.0 if column == 0 else 2.0) * k / N
    return design._wald(column, float(N - k), cells / (N - k), design._row_eigenvalues)


def _within_eigenvalues(design: Arms) -> list[tuple[float, float]]:
    """Return the eigenvalues of the residual sum of squares about the clusters' means."""
    G, n, k = design.clusters, design.rows, design.arms
    projection = np.eye(k) - 1.0 / k
    errors = (design.residual_sd**2, float(G * (n - k)))
    return [(value, G - 1.0) for value in design._arm_eigenvalues(projection)] + [errors]


def random_intercept(design: Arms, column: int) -> Wald:
    """Return the Wald of a random intercept by REML, Satterthwaite's df, off its boundary.

    With arms between clusters it is the pooled t test on the clusters' means (Donald & Lang 2007,
    REStat 89, 221-233). With arms within clusters the differences have the residual mean square
    within clusters. The intercept's variance is then a sum of two mean squares whose df vary with
    the data; it has a closed form only if differences do not vary between clusters.
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
    """Return how often the random intercept's variance is estimated as 0.

    It is when the mean square between clusters is below that within. The probability is exact if
    differences do not vary between clusters, else that of F with the expected squares.
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
    """Return the variance of a two-stage slope of standard normal predictors.

    It is (tau^2 + sigma^2 E[(X'X)^-1]_kk) / G. The expectation, of an inverse Wishart matrix, is
    1 / (n - p - 2), and infinite up to p + 2 rows.
    """
    room = rows - slopes - 2
    return (slope_sd**2 + residual_sd**2 / room) / clusters if room > 0 else np.inf


def two_stage_kurtosis(
    clusters: int, rows: int, slopes: int, slope_sd: float, residual_sd: float
) -> float:
    """Return the kurtosis of a two-stage slope of standard normal predictors.

    Given its predictor a cluster's slope is normal with variance tau^2 + sigma^2 / chi2(n - p). The
    kurtosis is infinite up to p + 4 rows.
    """
    nu = rows - slopes
    if nu <= 4:
        return np.inf
    spread = residual_sd**4 * 2.0 / ((nu - 2.0) ** 2 * (nu - 4.0))
    mean = slope_sd**2 + residual_sd**2 / (nu - 2.0)
    return 3.0 + 3.0 * spread / mean**2 / clusters


def within_variance(clusters: int, rows: int, slope_sd: float, residual_sd: float) -> float:
    """Return the variance of the slope of a standard normal predictor, clusters as fixed effects.

    It is the mean of the sum of (S_j / sum S)^2 (tau^2 + sigma^2 / S_j) with S_j ~ chi2(n - 1):
    the shares have a Dirichlet distribution, sum S a chi-square.
    """
    half = (rows - 1) / 2.0
    shares = (half + 1.0) / (clusters * half + 1.0)
    return slope_sd**2 * shares + residual_sd**2 / (clusters * (rows - 1) - 2.0)


def random_intercept_rejection(
    rows: int, slopes: int, slope_sd: float, residual_sd: float
) -> float:
    """Return about the false-positive rate of a random intercept where slopes vary as well.

    With many clusters and standard normal predictors, the true variance of a slope is
    (sigma^2 + tau^2 (n + p)) / (sigma^2 + tau^2 p) times what the model takes it for.
    """
    errors, tau = residual_sd**2, slope_sd**2
    inflation = (errors + tau * (rows + slopes)) / (errors + tau * slopes)
    return float(2.0 * ndtr(stdtrit(np.inf, LEVEL / 2.0) / np.sqrt(inflation)))


def growth_curve_rejection(
    clusters: int, slopes: int, predictors: int, *, normal: bool = False
) -> float:
    """Return the false-positive rate of the maximal model for a cluster-level predictor.

    It is the limit of large clusters, or of coefficients that vary much, where the q slopes of a
    cluster are known and its intercept is regressed on them and on the k cluster-level predictors:
    a growth-curve model. The regression has nu - q degrees of freedom, nu = G - 1 - k; REML divides
    its sum of squares by nu, and takes the slopes' coefficients for known. So the variance estimate
    is too small, by (nu - q) / nu on average and by the share B of the predictor that the slopes do
    not explain, which is Beta((nu + 1 - q) / 2, q / 2). Given B the test rejects if |t| of the
    regression exceeds c sqrt(B (nu - q) / nu).

    Parameters
    ----------
    clusters, slopes, predictors : int
        G, q, k.
    normal : bool
        Whether c is that of the normal distribution, not of t with the nu degrees of freedom that
        Satterthwaite's method finds.

    References
    ----------
    Rao (1965), Biometrika 52, 447-458; Stanek & Koch (1985), The American Statistician 39, 149-152.
    """
    nu = clusters - 1 - predictors
    left = nu - slopes
    c = float(stdtrit(np.inf if normal else nu, 1.0 - LEVEL / 2.0))
    if not slopes:
        return _two_tails(nu, c, 0.0)

    def integrand(angle: float) -> float:
        """Take B = sin(angle)^2, whose density has no pole."""
        log = left * np.log(np.sin(angle)) + (slopes - 1.0) * np.log(np.cos(angle))
        rejected = _two_tails(left, c * np.sin(angle) * np.sqrt(left / nu), 0.0)
        return 2.0 * np.exp(log) * rejected

    total, _ = quad(integrand, 0.0, np.pi / 2.0, epsabs=0.0, epsrel=1e-11)
    return float(total * np.exp(-betaln((left + 1.0) / 2.0, slopes / 2.0)))


def sign_flip_rejection(clusters: int, draws: int) -> float:
    """Return the exact size of a test by random signs of the mean of symmetric cluster summaries.

    There are M = 2^(G-1) ways to split the clusters by sign; the rank J of the data's own is
    uniform on 1 to M. If M is at most the number of draws, all are tried and p = J / M. Otherwise
    B ~ Binomial(draws, J / M) draws are as extreme, and p is (1 + B) / (draws + 1) (Phipson & Smyth
    2010, equation 3) or B / draws; both reject alike if LEVEL (draws + 1) is a whole number. If all
    clusters have the same design, the wild cluster bootstrap with its null imposed and Rademacher
    weights is this test.
    """
    partitions = 2.0 ** (clusters - 1)
    if partitions <= draws:
        return float(np.floor(LEVEL * partitions)) / partitions
    most = round(LEVEL * (draws + 1)) - 1
    if partitions > 2**20:
        return (most + 1.0) / (draws + 1.0)
    shares = np.arange(1.0, partitions) / partitions
    return float(bdtr(most, draws, shares).sum()) / partitions

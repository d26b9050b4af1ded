"""The closed forms against published digits, explicit matrices, other integrals and simulation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from clustrategy.verification.closed_forms import (
    Arms,
    Wald,
    boundary_probability,
    cluster_robust,
    imhof,
    least_squares,
    random_intercept,
    random_intercept_rejection,
    sign_flip_rejection,
    two_stage,
    two_stage_kurtosis,
    two_stage_variance,
    within_variance,
)

METHODS = [
    ("CR0", "normal"),
    ("CR0", "G-1"),
    ("CR1", "G-1"),
    ("CR2", "G-1"),
    ("CR3", "G-1"),
    ("CV3", "G-1"),
]


@pytest.mark.parametrize(
    ("clusters", "sizes"),
    [
        (6, [0.1848, 0.1038, 0.0830, 0.0619, 0.0346, 0.0453]),
        (10, [0.1177, 0.0777, 0.0655, 0.0535, 0.0353, 0.0432]),
        (20, [0.0794, 0.0625, 0.0566, 0.0508, 0.0406, 0.0454]),
        (30, [0.0687, 0.0581, 0.0542, 0.0503, 0.0433, 0.0467]),
        (50, [0.0608, 0.0547, 0.0524, 0.0501, 0.0457, 0.0479]),
        (100, [0.0552, 0.0523, 0.0512, 0.0500, 0.0478, 0.0489]),
    ],
)
@pytest.mark.parametrize(("rows", "sd"), [(2, 0.0), (9, 3.0)])
def test_sizes_with_two_arms_whatever_rows_and_icc(
    clusters: int, sizes: list[float], rows: int, sd: float
) -> None:
    design = Arms("between", clusters, rows, 2, sd, 0.0, 1.0)
    found = [cluster_robust(design, 1, *method).rejection() for method in METHODS]
    assert found == pytest.approx(sizes, abs=5.1e-5)
    exact = cluster_robust(design, 1, "CR2", "satterthwaite")
    assert exact.rejection() == pytest.approx(0.05, abs=1e-12)


@pytest.mark.parametrize(
    ("clusters", "sizes"),
    [
        (5, [0.0680, 0.1545, 0.1216, 0.0361]),
        (10, [0.0604, 0.0959, 0.0816, 0.0409]),
        (30, [0.0537, 0.0638, 0.0597, 0.0465]),
        (100, [0.0511, 0.0540, 0.0528, 0.0489]),
    ],
)
def test_sizes_of_a_mean_of_cluster_summaries(clusters: int, sizes: list[float]) -> None:
    design = Arms("within", clusters, 4, 2, 1.0, 0.7, 1.0)
    methods = [("CR0", "G-1"), ("CR0", "normal"), ("CR1", "normal"), ("CR3", "G-1")]
    found = [cluster_robust(design, 1, *method).rejection() for method in methods]
    assert found == pytest.approx(sizes, abs=5.1e-5)
    for variance in ("CR1", "CR2", "CV3"):
        test = cluster_robust(design, 1, variance, "G-1")
        assert test.rejection() == pytest.approx(0.05, abs=1e-12)
        assert test.scale == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("clusters", "rates"), [(15, [0.08248, 0.06447, 0.05017]), (30, [0.06400, 0.05571, 0.05004])]
)
def test_published_rates_of_three_arms(clusters: int, rates: list[float]) -> None:
    """Pustejovsky & Tipton (2018), cluster-randomised and balanced: 36 cells of 50,000."""
    design = Arms("between", clusters, 18, 3, 0.4, 0.0, 1.0)
    methods = [("CR1", "G-1"), ("CR2", "G-1"), ("CR2", "satterthwaite")]
    found = np.array([cluster_robust(design, 1, *method).rejection() for method in methods])
    mcse = np.sqrt(found * (1 - found) / (36 * 50_000))
    assert (np.abs(found - rates) < 2 * mcse).all()


# Explicit matrices: T = w'y and V = y'Qy for a design in full, nothing of the module used.


def _matrices(design: Arms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, the covariance of y, and the cluster of each row."""
    G, n, k = design.clusters, design.rows, design.arms
    cluster = np.repeat(np.arange(G), n)
    unit = cluster if design.between else np.tile(np.arange(n), G)
    arm = unit % k
    X = np.column_stack([np.ones(G * n), *(arm == j for j in range(1, k))]).astype(float)
    sds = np.array([design.intercept_sd] + [design.slope_sd] * (k - 1))
    same = cluster[:, None] == cluster
    return X, same * ((X * sds**2) @ X.T) + design.residual_sd**2 * np.eye(G * n), cluster


def _sandwich(X: np.ndarray, cluster: np.ndarray, column: int, variance: str) -> np.ndarray:
    """Q of a cluster-robust variance."""
    M = np.linalg.inv(X.T @ X)
    N, p = X.shape
    G = cluster.max() + 1
    H = X @ M @ X.T
    power = {"CR2": -0.5, "CR3": -1.0, "CV3": -1.0}.get(variance, 0.0)
    factor = {
        "CR1": G / (G - 1),
        "CR1S": G / (G - 1) * (N - 1) / (N - p),
        "pymer4": G / (G - 1) * N / (N - p),
        "CV3": (G - 1) / G,
    }.get(variance, 1.0)
    Q = np.zeros((N, N))
    for g in range(G):
        rows = cluster == g
        values, vectors = np.linalg.eigh(np.eye(rows.sum()) - H[np.ix_(rows, rows)])
        adjust = (vectors * values**power) @ vectors.T
        u = (np.eye(N) - H)[rows].T @ adjust @ X[rows] @ M[:, column]
        Q += factor * np.outer(u, u)
    return Q


def _classical(X: np.ndarray, column: int, extra: np.ndarray | None = None) -> np.ndarray:
    """Q of the classical variance of a coefficient of X, `extra` columns beside it."""
    whole = X if extra is None else np.column_stack([X, extra])
    M = np.linalg.pinv(whole.T @ whole)
    residual = np.eye(len(X)) - whole @ M @ whole.T
    return M[column, column] * residual / round(np.trace(residual))


def _pooled(X: np.ndarray, cluster: np.ndarray, column: int) -> np.ndarray:
    """Q of a t test on the clusters' means, arms pooled."""
    means = (cluster == np.arange(cluster.max() + 1)[:, None]) / (cluster == 0).sum()
    return means.T @ _classical(means @ X, column) @ means


def _agree(design: Arms, column: int, wald: Wald, Q: np.ndarray) -> None:
    X, omega, _ = _matrices(design)
    w = np.linalg.pinv(X)[column]
    variance = w @ omega @ w
    assert wald.variance == pytest.approx(variance, rel=1e-10)
    assert np.abs(w @ omega @ Q @ omega).max() < 1e-12
    root = np.linalg.cholesky(omega)
    values = np.linalg.eigvalsh(root.T @ Q @ root) / variance
    assert all(nu == round(nu) for nu in wald.chi2_df)
    claimed = np.repeat(wald.weights, np.array(wald.chi2_df, dtype=int))
    found = np.sort(values)[::-1]
    assert found[: claimed.size] == pytest.approx(np.sort(claimed)[::-1], rel=1e-8)
    assert np.abs(found[claimed.size :]).max() < 1e-12


DESIGNS = [
    Arms("between", 6, 3, 3, 0.8, 0.0, 1.0),
    Arms("between", 9, 2, 3, 0.5, 1.1, 0.9),
    Arms("between", 8, 3, 2, 0.0, 0.6, 1.0),
    Arms("within", 5, 6, 3, 0.8, 0.0, 1.0),
    Arms("within", 4, 6, 3, 0.5, 1.1, 0.9),
    Arms("within", 6, 4, 2, 0.7, 0.6, 1.3),
]


@pytest.mark.parametrize(("design", "column"), product(DESIGNS, [0, 1]))
def test_weights_are_the_eigenvalues_of_the_variance(design: Arms, column: int) -> None:
    X, _, cluster = _matrices(design)
    for variance in ("CR0", "CR1", "CR1S", "pymer4", "CR2", "CR3", "CV3"):
        wald = cluster_robust(design, column, variance, "G-1")
        _agree(design, column, wald, _sandwich(X, cluster, column, variance))
    _agree(design, column, least_squares(design, column), _classical(X, column))
    if design.between:
        wald = random_intercept(design, column)
        _agree(design, column, wald, _pooled(X, cluster, column))
        assert wald.df == design.clusters - design.arms
    elif column:
        clusters = (cluster[:, None] == np.arange(design.clusters)).astype(float)
        Q = _classical(X[:, 1:], column - 1, clusters)
        wald = random_intercept(design, column)
        _agree(design, column, wald, Q)
        assert wald.df == len(X) - design.clusters - design.arms + 1


def test_the_intercept_of_a_random_intercept_model() -> None:
    """Its variance by the covariance that the mean squares estimate, not by the module's sum."""
    design = Arms("within", 5, 6, 3, 0.8, 0.0, 1.0)
    X, omega, cluster = _matrices(design)
    N, G, n = len(X), design.clusters, design.rows
    same = cluster[:, None] == cluster
    between = same / n - np.full((N, N), 1 / N)
    within = np.eye(N) - X @ np.linalg.pinv(X) - between
    within_square, between_square = within / round(np.trace(within)), between / (G - 1)
    w = np.linalg.pinv(X)[0]
    Q = (w @ w) * within_square
    Q = Q + (w @ same @ w) * (between_square - within_square) / n
    _agree(design, 0, random_intercept(design, 0), Q)
    assert np.isnan(random_intercept(design, 0).df)
    with pytest.raises(ValueError, match="vary between clusters"):
        random_intercept(Arms("within", 5, 6, 3, 0.8, 0.1, 1.0), 0)


def test_arms_must_be_equal() -> None:
    with pytest.raises(ValueError, match="10 cannot be divided among 3"):
        Arms("between", 10, 6, 3, 1.0, 0.0, 1.0)


def test_satterthwaite_df_are_those_of_the_explicit_matrix() -> None:
    for design, column in product(DESIGNS, [0, 1]):
        X, _, cluster = _matrices(design)
        Q = _sandwich(X, cluster, column, "CR2")
        df = np.trace(Q) ** 2 / np.trace(Q @ Q)
        assert cluster_robust(design, column, "CR2", "satterthwaite").df == pytest.approx(df)


# The distribution of T / sqrt(V).


@pytest.mark.parametrize("delta", [0.0, 0.7, 3.0])
@pytest.mark.parametrize("nu", [1.0, 4.0, 27.0])
def test_imhof_is_student_where_there_is_one_chi_square(nu: float, delta: float) -> None:
    c = 2.1
    found = imhof([1.0, -(c**2) / nu], [1.0, nu], [delta**2, 0.0])
    t = stats.nct(nu, delta)
    assert found == pytest.approx(t.sf(c) + t.cdf(-c), abs=1e-9)


def _mixture(weights: np.ndarray, nus: np.ndarray, c: float, delta: float) -> float:
    """Two chi-squares by their sum and the beta-distributed share of the first."""
    share = stats.beta(*(nus / 2))
    whole = nus.sum()

    def given(r: float) -> float:
        t = c * np.sqrt(whole * (weights[0] * r + weights[1] * (1 - r)))
        law = stats.nct(whole, delta)
        return float((law.sf(t) + law.cdf(-t)) * share.pdf(r))

    return float(quad(given, 0, 1, epsabs=1e-10)[0])


@pytest.mark.parametrize("delta", [0.0, 1.5])
@pytest.mark.parametrize(
    ("weights", "nus"), [((0.3, 0.02), (4.0, 30.0)), ((0.05, 0.2), (3.0, 3.0))]
)
def test_rejection_is_the_mixture_over_shares(
    weights: tuple[float, ...], nus: tuple[float, ...], delta: float
) -> None:
    wald = Wald(4.0, weights, nus, 10.0)
    expected = _mixture(np.array(weights), np.array(nus), stats.t(10).ppf(0.975), delta)
    assert wald.rejection(2.0 * delta) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    "wald",
    [
        cluster_robust(DESIGNS[0], 1, "CR1", "G-1"),
        cluster_robust(DESIGNS[1], 1, "CR3", "G-p"),
        least_squares(DESIGNS[4], 1),
    ],
    ids=["one", "two", "four"],
)
def test_every_measure_against_draws(wald: Wald) -> None:
    rng = np.random.default_rng(1)
    n, theta = 400_000, 0.9
    T = theta + np.sqrt(wald.variance) * rng.standard_normal(n)
    parts = [w * rng.chisquare(nu, n) for w, nu in zip(wald.weights, wald.chi2_df, strict=True)]
    V = wald.variance * np.sum(parts, axis=0)
    c = stats.t(wald.df).ppf(0.975)
    width = 2 * c * np.sqrt(V)

    def close(found: float, expected: float, mcse: float) -> bool:
        return abs(found - expected) < 4 * mcse

    power, covered = np.abs(T) > c * np.sqrt(V), np.abs(T - theta) < c * np.sqrt(V)
    assert close(power.mean(), wald.rejection(theta), power.std() / np.sqrt(n))
    assert close(covered.mean(), wald.coverage, covered.std() / np.sqrt(n))
    assert close(width.mean(), wald.interval_width, width.std() / np.sqrt(n))
    assert width.std() == pytest.approx(wald.interval_width_sd, rel=0.01)
    assert close(V.mean(), wald.scale * wald.variance, V.std() / np.sqrt(n))
    blocks = V.reshape(400, -1)
    logs = np.log(2 * blocks.mean(axis=1) ** 2 / blocks.var(axis=1))
    variance = blocks.shape[1] * logs.var()
    assert variance == pytest.approx(wald.log_variance_df_variance, rel=4 * np.sqrt(2 / 400))
    assert logs.mean() == pytest.approx(np.log(wald.variance_df), abs=0.05)


# Variances where predictors are continuous, and the rest.


def _random_predictor(clusters: int, rows: int, sims: int) -> np.ndarray:
    """(sims, clusters) sums of squares of a standard normal predictor about its cluster means."""
    x = np.random.default_rng(2).standard_normal((sims, clusters, rows))
    return ((x - x.mean(axis=2, keepdims=True)) ** 2).sum(axis=2)


def test_variances_with_one_random_predictor() -> None:
    G, n, tau, sigma, sims = 4, 9, 0.6, 1.2, 60_000
    S = _random_predictor(G, n, sims)
    of_mean = (tau**2 + sigma**2 / S).mean(axis=1) / G
    shares = S / S.sum(axis=1, keepdims=True)
    of_within = (shares**2 * (tau**2 + sigma**2 / S)).sum(axis=1)
    for draws, exact in [
        (of_mean, two_stage_variance(G, n, 1, tau, sigma)),
        (of_within, within_variance(G, n, tau, sigma)),
    ]:
        assert draws.mean() == pytest.approx(exact, abs=4 * draws.std() / np.sqrt(sims))
    slopes = np.random.default_rng(3).standard_normal((sims, G)) * np.sqrt(tau**2 + sigma**2 / S)
    one = slopes[:, 0]
    kurtosis = float((one**4).mean() / (one**2).mean() ** 2)
    expected = two_stage_kurtosis(1, n, 1, tau, sigma)
    assert kurtosis == pytest.approx(expected, abs=6 * np.sqrt(24 / sims))
    assert expected > 3 + 6 * np.sqrt(24 / sims)
    assert two_stage_kurtosis(G, n, 1, tau, sigma) - 3 == pytest.approx((expected - 3) / G)


def test_variance_of_several_random_predictors() -> None:
    G, n, p, sims = 3, 9, 3, 40_000
    X = np.random.default_rng(4).standard_normal((sims, n, p + 1))
    X[..., 0] = 1.0
    draws = np.linalg.inv(np.swapaxes(X, 1, 2) @ X)[:, 2, 2]
    exact = G * two_stage_variance(G, n, p, 0.5, 1.0) - 0.25
    assert draws.mean() == pytest.approx(exact, abs=4 * draws.std() / np.sqrt(sims))


@pytest.mark.parametrize(("rows", "slopes"), [(5, 3), (3, 1), (2, 1), (6, 4)])
def test_two_stage_has_no_variance_where_rows_are_few(rows: int, slopes: int) -> None:
    assert two_stage_variance(10, rows, slopes, 0.1, 1.0) == np.inf
    assert two_stage_variance(10, slopes + 3, slopes, 0.1, 1.0) < np.inf


@pytest.mark.parametrize(
    ("rows", "sd", "published"),
    [(25, 0.1, 0.079), (25, 0.25, 0.212), (25, 1, 0.594), (5, 0.25, 0.085), (5, 1, 0.295)],
)
def test_false_positives_of_a_random_intercept(rows: int, sd: float, published: float) -> None:
    for unit in (1.0, 0.5, 3.0):
        found = random_intercept_rejection(rows, 1, unit * sd, unit)
        assert found == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("sd", [0.1, 0.5])
@pytest.mark.parametrize("between", [True, False])
def test_how_often_the_random_intercept_vanishes(sd: float, between: bool) -> None:
    treatment = "between" if between else "within"
    design = Arms(treatment, 6, 4, 2, sd, 0.0, 1.0)  # type: ignore[arg-type]
    rng = np.random.default_rng(5)
    y = sd * rng.standard_normal((50_000, 6, 1)) + rng.standard_normal((50_000, 6, 4))
    means = y.mean(axis=2)
    arms = means.reshape(-1, 2, 3) if between else means[:, None]
    df = 4 if between else 5
    between_square = 4 * ((arms - arms.mean(axis=2, keepdims=True)) ** 2).sum(axis=(1, 2)) / df
    inner = y - means[..., None]
    if not between:
        inner = inner - inner.mean(axis=1, keepdims=True).reshape(-1, 1, 2, 2).mean(
            axis=3, keepdims=True
        ).repeat(2, axis=3).reshape(-1, 1, 4)
    within_square = (inner**2).sum(axis=(1, 2)) / (18 if between else 17)
    found = (between_square < within_square).mean()
    expected = boundary_probability(design)
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 50_000))


def test_how_often_it_vanishes_where_differences_vary() -> None:
    """By the expected mean squares of the explicit matrices."""
    for arms, rows in ((2, 4), (3, 6)):
        design = Arms("within", 5, rows, arms, 0.3, 0.7, 1.2)
        X, omega, cluster = _matrices(design)
        N = len(X)
        between = (cluster[:, None] == cluster) / rows - np.full((N, N), 1 / N)
        within = np.eye(N) - X @ np.linalg.pinv(X) - between
        df = [round(np.trace(square)) for square in (between, within)]
        squares = [np.trace(square @ omega) for square in (between, within)]
        ratio = squares[1] / df[1] / (squares[0] / df[0])
        assert boundary_probability(design) == pytest.approx(stats.f(*df).cdf(ratio), rel=1e-9)


def test_effects_and_two_stage() -> None:
    """Power by noncentral t; two-stage is a one-sample t test of the clusters' differences."""
    design = Arms("within", 8, 6, 3, 1.0, 0.5, 1.0)
    wald: Callable[[float], float] = two_stage(design, 2).rejection
    delta = 0.6 / np.sqrt((0.25 + 1.0) / 8)
    law = stats.nct(7, delta)
    c = stats.t(7).ppf(0.975)
    assert wald(0.6) == pytest.approx(law.sf(c) + law.cdf(-c), abs=1e-10)


@pytest.mark.parametrize("clusters", [5, 6, 8])
def test_all_signs_of_the_clusters(clusters: int) -> None:
    """The sign-flip test in full, of every partition of one dataset taken as the data's own."""
    summaries = np.random.default_rng(6).standard_normal(clusters)
    signs = 1 - 2 * (np.arange(2**clusters)[:, None] >> np.arange(clusters) & 1)
    means = np.abs(signs @ summaries)
    p_values = (means[:, None] <= means * (1 + 1e-12)).mean(axis=1)
    size = sign_flip_rejection(clusters, 999)
    assert (p_values <= 0.05).mean() == pytest.approx(size)


def test_random_signs() -> None:
    rng = np.random.default_rng(8)
    ranks = rng.integers(1, 2**7 + 1, 400_000) / 2**7
    p_values = (1 + rng.binomial(99, ranks)) / 100
    size = sign_flip_rejection(8, 99)
    assert (p_values <= 0.05).mean() == pytest.approx(size, abs=4 * np.sqrt(0.05 / 400_000))
    assert size < 0.0475
    assert sign_flip_rejection(40, 99) == 0.05
    assert sign_flip_rejection(19, 99) == pytest.approx(0.05, abs=1e-5)

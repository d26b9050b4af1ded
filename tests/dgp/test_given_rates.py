"""Rates of false positives and power on given designs, against closed forms and quadrature."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from clustrategy.core.fits import Fits
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.dgp.given import GivenProcess, draw_given
from clustrategy.verification.closed_forms import imhof
from tests.material import FOLDER, fitted

ICC = (0.0, 0.2)
STUDENT: list[tuple[dict[str, Any], tuple[float, float]]] = [
    ({"strategy": "ols"}, (5.0, 6.0)),
    ({"strategy": "cluster_robust", "df": "normal"}, (58.5, 38.5)),
    ({"strategy": "cluster_robust"}, (12.9, 6.8)),
    ({"strategy": "cluster_robust", "variance": "CR2", "df": "satterthwaite"}, (3.7, 1.1)),
]
"""False positives in per cent, of independent errors and at an intraclass correlation of 0.2."""


@cache
def student() -> Shard:
    """G3 ~ absences of 395 pupils in two schools."""
    rows = pd.read_csv(FOLDER / "student.csv").sort_values("school", kind="stable")
    X = np.column_stack([np.ones(len(rows)), rows["absences"]])
    sizes = rows.groupby("school").size().to_numpy()
    return Shard(np.zeros(len(rows)), X, sizes[None], (INTERCEPT, "absences"))


def rejected(fits: Fits, term: int = 1, null: float = 0.0) -> Floats:
    """(S,) whether the tests at 5 % reject a value of a coefficient."""
    columns = (fits.estimate - null, fits.std_error, fits.df)
    return t_inference(*(column[:, term] for column in columns)).p_value < 0.05


def agrees(hits: Floats, rate: float) -> None:
    """A rate lies within 4.5 Monte Carlo standard errors of what it must be."""
    assert abs(hits.mean() - rate) < 4.5 * np.sqrt(rate * (1 - rate) / hits.size)


def root(A: Floats, power: float) -> Floats:
    """A power of a symmetric matrix; of eigenvalues that are 0 it is 0."""
    values, vectors = np.linalg.eigh(A)
    kept = values > 1e-9 * values.max()
    return (vectors[:, kept] * values[kept] ** power) @ vectors[:, kept].T


def rate_by_quadrature(entry: dict[str, Any], icc: float) -> float:
    """P(estimate^2 > c^2 variance): of normal errors two quadratic forms, so Imhof's integral.

    The variance of `cluster_robust` is the sum over clusters of (w_g'e)^2, as textbooks have it.
    """
    shard = student()
    X, n, codes = shard.X, shard.n[0], shard.cluster_codes(0)
    N, p, G = len(X), 2, n.size
    inverse = np.linalg.inv(X.T @ X)
    a = X @ inverse[1]
    M = np.eye(N) - X @ inverse @ X.T
    if entry["strategy"] == "ols":
        df, V = N - p, inverse[1, 1] * M / (N - p)
    else:
        W = np.zeros((G, N))
        for g in range(G):
            own = codes == g
            A = root(M[np.ix_(own, own)], -0.5) if entry.get("variance") == "CR2" else np.eye(n[g])
            W[g] = (a[own] @ A) @ M[own]
        if entry.get("variance") == "CR2":
            products = W @ W.T
            df = np.trace(products) ** 2 / (products**2).sum()
        else:
            W *= np.sqrt(G / (G - 1) * (N - 1) / (N - p))
            df = np.inf if entry.get("df") == "normal" else G - 1
        V = W.T @ W
    same = codes[:, None] == codes
    L = np.linalg.cholesky((1 - icc) * np.eye(N) + icc * same)
    form = L.T @ (np.outer(a, a) - stats.t.isf(0.025, df) ** 2 * V) @ L
    weights = np.linalg.eigvalsh(form)
    weights = weights[np.abs(weights) > 1e-9 * np.abs(weights).max()]
    return imhof(weights, np.ones(weights.size), np.zeros(weights.size))


@pytest.mark.parametrize(("entry", "known"), STUDENT)
def test_false_positives_with_two_schools(
    entry: dict[str, Any], known: tuple[float, float]
) -> None:
    """The known rates, by quadrature, and by draws."""
    for icc, percent in zip(ICC, known, strict=True):
        rate = rate_by_quadrature(entry, icc)
        assert abs(100 * rate - percent) < 0.5
        process = GivenProcess(student(), (INTERCEPT,), np.array([[icc / (1 - icc)]]), 1.0)
        agrees(rejected(fitted(draw_given(process, 7, f"{icc}", range(600)), **entry)), rate)


def trial(clusters: int, rows: int) -> Shard:
    """Whole clusters have the treatment, every second one."""
    arm = np.repeat(np.arange(clusters) % 2, rows).astype(float)
    X = np.column_stack([np.ones(arm.size), arm])
    return Shard(np.zeros(arm.size), X, np.full((1, clusters), rows), (INTERCEPT, "treat"))


def process(clusters: int, rows: int, icc: float) -> GivenProcess:
    """Outcomes of a trial, of a total variance of 1."""
    variance = np.array([[icc]])
    return GivenProcess(trial(clusters, rows), (INTERCEPT,), variance, np.sqrt(1 - icc))


def reml_rate(rows: int, icc: float) -> float:
    """The rate of REML's z test of four clusters against four, by quadrature over chi-squares.

    The mean squares B between clusters of an arm, 6 df, and W within clusters, 8 (n - 1) df, have
    expectations n icc + 1 - icc and 1 - icc. The variance of the difference is B / (2 n); where B
    is below W the variance of intercepts is 0, and both are pooled.
    """
    nu = 8 * (rows - 1)
    grid = (np.arange(600) + 0.5) / 600
    between = stats.chi2.ppf(grid, 6)[:, None] / 6
    within = stats.chi2.ppf(grid, nu) / nu * (1 - icc) / (rows * icc + 1 - icc)
    variance = np.where(between > within, between, (6 * between + nu * within) / (6 + nu))
    return float((2 * stats.norm.sf(1.959964 * np.sqrt(variance))).mean())


@pytest.mark.parametrize(
    ("rows", "icc", "percent"), [(20, 0.5, 9.77), (10, 0.2, 9.3), (5, 0.02, 5.1)]
)
def test_false_positives_of_reml_with_four_clusters_against_four(
    rows: int, icc: float, percent: float
) -> None:
    rate = reml_rate(rows, icc)
    assert abs(100 * rate - percent) < 0.06
    drawn = draw_given(process(8, rows, icc), 2, "trial", range(1500))
    fits = fitted(drawn, "mixed_intercept", df="normal")
    agrees(rejected(fits), rate)
    means = drawn.y.reshape(-1, 8, rows).mean(axis=2)
    within = (drawn.y.reshape(-1, 8, rows) - means[..., None]).var(axis=(1, 2)) * rows / (rows - 1)
    arms = np.stack([means[:, ::2], means[:, 1::2]], axis=1)
    between = rows * arms.var(axis=2, ddof=1).mean(axis=1)
    nu = 8 * (rows - 1)
    pooled = (6 * between + nu * within) / (6 + nu)
    variance = np.where(between > within, between, pooled) / (2 * rows)
    np.testing.assert_allclose(fits.std_error[:, 1] ** 2, variance, rtol=1e-6)


def test_false_positives_of_t_and_of_maximum_likelihood_away_from_the_boundary() -> None:
    """Student's t of 6 df; the variance by maximum likelihood is 6/8 of REML's."""
    assert abs(100 * 2 * stats.t.sf(1.959964, 6) - 9.77) < 0.005
    ml = 2 * stats.t.sf(1.959964 * np.sqrt(6 / 8), 6)
    assert abs(100 * ml - 14.05) < 0.005
    drawn = draw_given(process(8, 20, 0.8), 3, "trial", range(2000))
    fits = fitted(drawn, "mixed_intercept")
    assert not fits.singular.any()
    np.testing.assert_allclose(fits.df[:, 1], 6, rtol=1e-5)
    agrees(rejected(fits), 0.05)
    agrees(np.abs(fits.estimate[:, 1]) > 1.959964 * np.sqrt(6 / 8) * fits.std_error[:, 1], ml)


@pytest.mark.parametrize("strategy", ["two_stage", "mixed_intercept"])
@pytest.mark.parametrize(("clusters", "effect"), [(8, 0.0), (8, 1.5), (14, 1.2)])
def test_power_of_the_t_test_on_cluster_means(strategy: str, clusters: int, effect: float) -> None:
    """Noncentral t: a mean has variance icc + (1 - icc) / n, a difference 4 / G times that."""
    rows, icc = 10, 0.6
    df, error = clusters - 2, np.sqrt(4 / clusters * (icc + (1 - icc) / rows))
    known = stats.nct(df, effect / error) if effect else stats.t(df)
    critical = stats.t.isf(0.025, df)
    power = known.sf(critical) + known.cdf(-critical)
    drawn = draw_given(process(clusters, rows, icc), 5, "trial", range(2000))
    agrees(rejected(fitted(drawn, strategy), null=-effect), power)

"""Intraclass correlations: the analysis of variance in closed form, and lme4."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.design.icc import icc
from tests.design.golden_designs import DESIGNS, shard_of

PREDICTOR = np.array([0.3, -1.0, 0.5, 1.2, 0.1, -0.7, 2.0, 0.4, -0.2, 0.8, -1.1, 0.6])


def of(y: list[float], clusters: int, *, intercept: bool = True) -> Shard:
    X = np.column_stack([np.ones(len(y)), PREDICTOR[: len(y)]])
    n = np.full((1, clusters), len(y) // clusters)
    terms = (INTERCEPT, "x") if intercept else ("one", "x")
    return Shard(np.array(y, dtype=float), X, n, terms)


def test_of_equal_clusters_it_is_that_of_the_analysis_of_variance():
    """Means 2, 5 and 11 of 4 rows: MSB 84, MSW (2 + 2 + 8) / 9."""
    shard = of([1, 2, 2, 3, 5, 4, 6, 5, 9, 13, 11, 11], 3)
    between, within = 4 * (16 + 1 + 25) / 2, 12 / 9
    known = (between - within) / (between + 3 * within)
    found = icc(shard, given_x=False)
    np.testing.assert_allclose(found.value, known, rtol=1e-7)
    assert (found.status, found.message) == ("ok", "")


def test_means_that_are_closer_than_by_chance_are_a_singular_fit_at_zero():
    found = icc(of([1, 9, 2, 8, 5, 5, 3, 7], 4), given_x=False)
    assert (found.value, found.status) == (0.0, "singular")
    assert "a variance is zero" in found.message


@pytest.mark.parametrize("name", DESIGNS)
def test_it_is_that_of_lme4(name):
    shard, known = shard_of(name), DESIGNS[name]
    response, residuals = icc(shard, given_x=False), icc(shard, given_x=True)
    np.testing.assert_allclose(response.value, known["icc_response"], rtol=2e-5, atol=1e-9)
    np.testing.assert_allclose(residuals.value, known["icc_residuals"], rtol=2e-5, atol=1e-9)


def test_a_model_without_intercept_has_none_of_its_residuals():
    shard = of([1, 2, 2, 3, 5, 4, 6, 5, 9, 13, 11, 11], 3, intercept=False)
    found = icc(shard, given_x=True)
    assert np.isnan(found.value)
    assert (found.status, found.message) == ("undefined", "the model has no intercept")
    assert icc(shard, given_x=False).status == "ok"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("shard", "said"),
    [
        (of([1, 2, 3, 5], 1), "one cluster: a mixed model needs two"),
        (of([1e160, 2e160, 3e160, 5e160, 4e160, 2e160], 2), "are so large or small"),
    ],
)
def test_what_cannot_be_fitted_says_why(shard, said):
    found = icc(shard, given_x=True)
    assert np.isnan(found.value) and found.status == "undefined" and said in found.message

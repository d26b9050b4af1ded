from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.estimation.wald import Turned, wald
from tests.material import few


@given(seed=st.integers(0, 10**6), q=st.integers(1, 4))
@few
def test_the_statistic_is_that_of_the_coefficients_as_they_are(seed, q):
    rng = np.random.default_rng(seed)
    rows, b, F = (rng.standard_normal(shape) for shape in ((2, q, 5), (2, q), (2, 9, q)))
    turned = Turned.of(rows)
    found = wald(turned(b), np.swapaxes(turned(np.swapaxes(F, 1, 2)), 1, 2), np.ones(2))
    for sim in range(2):
        expected = b[sim] @ np.linalg.solve(F[sim].T @ F[sim], b[sim])
        np.testing.assert_allclose(found[sim], expected, rtol=1e-8)


@given(seed=st.integers(0, 10**6))
@few
def test_turned_coefficients_are_uncorrelated(seed):
    rows = np.random.default_rng(seed).standard_normal((1, 3, 6))
    turned = Turned.of(rows)(rows)[0]
    np.testing.assert_allclose(turned @ turned.T, np.eye(3), atol=1e-10)


def test_a_singular_variance_has_no_statistic():
    F = np.ones((2, 6, 2))
    F[1, :, 1] = np.arange(6.0)
    found = wald(np.ones((2, 2)), F, np.ones(2))
    assert np.isnan(found[0]) and np.isfinite(found[1])
    assert np.isnan(wald(np.ones((1, 2)), np.ones((1, 1, 2)), np.ones(1)))[0]

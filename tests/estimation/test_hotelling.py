from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.estimation import hotelling
from clustrategy.estimation.hotelling import approximate_f, hotelling_df
from tests.material import few


def parts(seed: int, q: int, p: int, G: int) -> tuple[np.ndarray, np.ndarray]:
    """w_g (q, m, G) and N_g = U_g' w_g (q, p, G), the U_g of orthonormal columns over all rows."""
    rng = np.random.default_rng(seed)
    m = 4
    U = np.linalg.qr(rng.standard_normal((G * m, p)))[0].reshape(G, m, p)
    w = rng.standard_normal((G, m, q)) * rng.uniform(0.2, 3.0, (G, 1, 1))
    inner = np.swapaxes(U, 1, 2) @ w
    return np.moveaxis(w, (0, 1, 2), (2, 1, 0)), np.moveaxis(inner, (0, 1, 2), (2, 1, 0))


def by_definition(w: np.ndarray, inner: np.ndarray) -> float:
    """q (q + 1) over the sum of Var(d_st) of Pustejovsky & Tipton, each from a G x G matrix."""
    q, _, G = w.shape
    K = -np.einsum("spg,tph->stgh", inner, inner)
    K[:, :, np.arange(G), np.arange(G)] += np.einsum("smg,tmg->stg", w, w)
    values, vectors = np.linalg.eigh(np.trace(K, axis1=2, axis2=3))
    half = vectors @ np.diag(values**-0.5) @ vectors.T
    P = np.einsum("as,stgh,tb->abgh", half, K, half)
    return (
        q
        * (q + 1)
        / sum((P[s, s] * P[t, t] + P[s, t] * P[t, s]).sum() for s in range(q) for t in range(q))
    )


@pytest.mark.parametrize("q", [1, 2, 3])
@given(seed=st.integers(0, 10**6))
@few
def test_eta_is_that_of_its_definition(q, seed):
    w, inner = parts(seed, q, 4, 7)
    np.testing.assert_allclose(
        hotelling_df(w[None], inner[None]), by_definition(w, inner), rtol=1e-9
    )


def test_the_parts_in_which_the_sums_are_taken_do_not_matter(monkeypatch):
    w, inner = parts(1, 2, 3, 11)
    expected = by_definition(w, inner)
    for elements in (1, 100, 10**6):
        monkeypatch.setattr(hotelling, "ELEMENTS_AT_ONCE", elements)
        np.testing.assert_allclose(hotelling_df(w[None], inner[None]), expected, rtol=1e-12)


def test_clusters_of_one_kind_without_predictors_have_as_many_df_as_there_are_of_them():
    """Then V is a Wishart matrix with G degrees of freedom."""
    w = np.repeat(
        np.linalg.qr(np.random.default_rng(2).standard_normal((5, 3)))[0].T[..., None], 8, 2
    )
    np.testing.assert_allclose(hotelling_df(w[None], np.zeros((1, 3, 2, 8))), 8.0, rtol=1e-12)


def test_a_variance_that_is_zero_has_none():
    w, inner = parts(3, 2, 3, 6)
    w[1], inner[1] = w[0], inner[0]
    assert np.isnan(hotelling_df(w[None], inner[None]))[0]
    w[1] = np.nan
    assert np.isnan(hotelling_df(w[None], inner[None]))[0]


def test_f_is_hotellings():
    """Of T^2 = 12 with eta 9 and q 3: (9 - 3 + 1) / (9 * 3) 12 on 3 and 7 df."""
    statistic, den_df = approximate_f(np.array([12.0]), 3, np.array([9.0]))
    np.testing.assert_allclose([statistic[0], den_df[0]], [28.0 / 9.0, 7.0], rtol=1e-15)

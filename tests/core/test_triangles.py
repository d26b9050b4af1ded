from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.triangles import triangles_of_clusters, triangular_factors


@pytest.mark.parametrize(("rows", "columns"), [(2, 4), (4, 4), (5, 3), (40, 5), (3, 1), (1, 1)])
def test_factors_are_those_of_lapack_but_for_signs(rows, columns):
    matrices = np.random.default_rng(rows).standard_normal((2, 3, rows, columns))
    found, expected = triangular_factors(matrices), np.linalg.qr(matrices, mode="r")
    np.testing.assert_allclose(np.abs(found[..., :rows, :]), np.abs(expected), rtol=1e-13)
    assert not found[..., rows:, :].any() and not np.tril(found, -1).any()


def test_what_nearly_dependent_columns_differ_by_keeps_its_digits():
    # Lauchli's matrix: the cross-products have 1 + e^2, which is 1 when rounded
    e = 1e-9
    found = triangular_factors(np.array([[1.0, 1.0], [e, 0.0], [0.0, e]]))
    np.testing.assert_allclose(found, [[1.0, 1.0], [0.0, np.sqrt(2.0) * e]], rtol=1e-14)


def test_dependent_columns_and_columns_of_zeros():
    matrix = np.array([[1.0, 0.0, 3.0, 1.0], [1.0, 0.0, 3.0, 2.0], [1.0, 0.0, 3.0, 4.0]])
    for rows in (matrix, np.vstack([matrix, matrix])):
        found = triangular_factors(rows)
        np.testing.assert_allclose(found.T @ found, rows.T @ rows, rtol=1e-13, atol=1e-13)


def test_numbers_that_are_not_finite_or_too_large_spoil_their_own_matrix_alone():
    matrices = np.random.default_rng(2).standard_normal((4, 6, 3))
    alone = triangular_factors(matrices)
    matrices[0, 2, 1], matrices[1, 0, 0], matrices[2] = np.nan, np.inf, 1e300
    with np.errstate(all="raise"):
        found = triangular_factors(matrices)
    assert not np.isfinite(found[:3]).all(axis=(1, 2)).any()
    assert np.array_equal(found[3], alone[3])


@pytest.mark.parametrize("numbers_at_once", [1, 700, 10**6])
def test_bits_of_a_cluster_do_not_depend_on_the_others(monkeypatch, numbers_at_once):
    rng = np.random.default_rng(5)
    sizes = np.concatenate([np.arange(1, 75), rng.integers(1, 75, 60), np.full(9, 25), [300]])
    X, y = rng.standard_normal((sizes.sum(), 3)), rng.standard_normal(sizes.sum())
    monkeypatch.setattr("clustrategy.core.triangles.NUMBERS_AT_ONCE", numbers_at_once)
    found = triangles_of_clusters(X, y, sizes)
    monkeypatch.undo()
    ends = np.cumsum(sizes)
    for size, end, triangle in zip(sizes, ends, found, strict=True):
        own = slice(end - size, end)
        alone = triangles_of_clusters(X[own].copy(), y[own].copy(), np.array([size]))
        assert np.array_equal(triangle, alone[0]), size
        matrix = np.column_stack([X[own], y[own]])
        np.testing.assert_allclose(triangle.T @ triangle, matrix.T @ matrix, atol=1e-12)

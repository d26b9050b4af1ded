from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.one_design import on_one_design
from clustrategy.core.shard import DEFAULT_SEED, Floats, Shard
from tests.material import few, random_shard

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def responses(seed: int, sims: int, design: Shard) -> Floats:
    return 3.0 + np.random.default_rng(seed).standard_normal((sims, len(design.X)))


def plain(y: Floats, design: Shard) -> Shard:
    sims = len(y)
    n = np.concatenate([design.n] * sims)
    return Shard(y.reshape(-1), np.concatenate([design.X] * sims), n, design.terms)


@given(
    seed=st.integers(0, 10**6),
    sims=st.integers(1, 4),
    clusters=st.integers(1, 5),
    p=st.integers(1, 4),
    rows=st.sampled_from([1, 2, 4, 7, (1, 8)]),
)
@few
def test_triangles_are_those_of_the_plain_shard(seed, sims, clusters, p, rows):
    design = random_shard(seed, 1, clusters, p, rows)
    y = responses(seed, sims, design)
    found, expected = on_one_design(y, design).triangles, plain(y, design).triangles
    cross = np.swapaxes(expected, 2, 3) @ expected
    np.testing.assert_allclose(np.swapaxes(found, 2, 3) @ found, cross, rtol=1e-12, atol=1e-12)
    assert found.shape == expected.shape
    assert not found[..., *np.tril_indices(p + 1, -1)].any()
    for cluster, size in enumerate(design.n[0]):
        assert not found[:, cluster, size:].any()


def test_columns_that_depend_on_each_other_in_every_cluster():
    n = np.array([[3, 4]])
    X = np.column_stack([np.ones(7), np.repeat([0.0, 1.0], n[0]), np.full(7, 3.0)])
    design = Shard(np.zeros(7), X, n, ("a", "b", "c"))
    y = responses(1, 2, design)
    found, expected = on_one_design(y, design).triangles, plain(y, design).triangles
    np.testing.assert_allclose(
        np.swapaxes(found, 2, 3) @ found,
        np.swapaxes(expected, 2, 3) @ expected,
        rtol=1e-13,
        atol=1e-13,
    )


def test_it_is_the_plain_shard_in_all_else():
    design = random_shard(3, 1, 4, 3, (2, 6))
    y = responses(3, 3, design)
    seeds = tuple(np.random.SeedSequence(k) for k in range(3))
    found, expected = on_one_design(y, design, seeds), replace(plain(y, design), seeds=seeds)
    for name in ("y", "n", "X", "n_obs", "finite", "in_range"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name
    assert found.terms == expected.terms and found.seeds == seeds
    assert (found.sims, found.clusters, found.p) == (3, 4, 3)
    assert not found.X.flags.writeable
    one = found.dataset(2)
    assert one.seeds == seeds[2:] and np.array_equal(one.y, y[2])
    assert np.array_equal(one.X, design.X) and np.array_equal(one.n, design.n)
    assert on_one_design(y, design).dataset(1).seeds is None
    assert (
        on_one_design(y, design).generator(1).random()
        == Shard(*(design.y, design.X, design.n, design.terms), (DEFAULT_SEED,))
        .generator(0)
        .random()
    )


def test_x_is_not_repeated_until_it_is_asked_for():
    design = random_shard(3, 1, 4, 3, (2, 6))
    shard = on_one_design(responses(3, 3, design), design)
    assert shard.finite.all() and shard.in_range.all() and shard.whole.shape == (3, 4, 4)
    assert shard.dataset(1).triangles.shape == (1, 4, 4, 4)
    assert "X" not in vars(shard) and len(shard.X) == 3 * len(design.X) and "X" in vars(shard)


def test_a_dataset_has_the_bits_that_it_has_among_others():
    for rows in (50, (1, 30)):
        design = random_shard(4, 1, 7, 3, rows)
        y = responses(4, 9, design)
        whole = on_one_design(y, design)
        for sim in range(9):
            for alone in (whole.dataset(sim), on_one_design(y[sim : sim + 1], design)):
                assert np.array_equal(alone.triangles[0], whole.triangles[sim])
        some = on_one_design(y[2:6], design)
        assert np.array_equal(some.triangles, whole.triangles[2:6])
        # nor does it matter how the responses lie in memory
        turned = on_one_design(np.asfortranarray(y), design)
        assert np.array_equal(turned.triangles, whole.triangles)


def test_a_changed_copy_has_an_x_of_its_own():
    design = random_shard(5, 1, 3, 2, 4)
    y = responses(5, 2, design)
    shard = on_one_design(y, design)
    X = 2.0 * shard.X
    changed, expected = replace(shard, X=X), replace(plain(y, design), X=X)
    assert np.array_equal(changed.X, X)
    for name in ("triangles", "in_range", "finite"):
        assert np.array_equal(getattr(changed, name), getattr(expected, name)), name
    assert np.array_equal(changed.dataset(1).X, X[shard.rows(1)])
    again = pickle.loads(pickle.dumps(shard))
    assert np.array_equal(again.triangles, shard.triangles) and np.array_equal(again.X, shard.X)


def test_numbers_that_are_not_finite_or_out_of_range_are_named_without_a_warning():
    design = random_shard(6, 1, 3, 2, 4)
    y = responses(6, 4, design)
    y[1, 2], y[2, 0], y[3] = np.nan, -np.inf, 1e80
    assert on_one_design(y, design).finite.tolist() == [True, False, False, True]
    assert on_one_design(y[[0, 3]], design).in_range.tolist() == [True, False]
    X = design.X.copy()
    X[4, 1] = np.inf
    assert not on_one_design(y, replace(design, X=X)).finite.any()


@pytest.mark.parametrize("shape", [(12,), (2, 11), (1, 2, 12)])
def test_responses_of_other_rows_are_refused(shape):
    design = random_shard(7, 1, 3, 2, 4)
    with pytest.raises(ValueError, match="responses of its 12 rows, found 1 and an array"):
        on_one_design(np.zeros(shape), design)
    with pytest.raises(ValueError, match="expected a design of one dataset"):
        on_one_design(np.zeros((2, 24)), random_shard(7, 2, 3, 2, 4))

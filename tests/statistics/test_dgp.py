from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.dgp import Process, Simulation, cell_key, simulate
from clustrategy.paths import level

from .material import few

CELL = {"clusters": 4, "obs_per_cluster": 3, "between_cluster_sigma": 0.5}
PROCESS = Process(4, 3, 0.5, 2, {"uniform": [0, 1]}, 1.0)


def bits(simulation: Simulation, sims: int) -> list[bytes]:
    """The numbers of each sim, truth and cluster coefficients included."""
    shard = simulation.shard
    return [
        b"".join(
            part.tobytes()
            for part in (
                shard.dataset(s).y,
                shard.dataset(s).X,
                simulation.truth[s],
                simulation.cluster_coefficients[s],
            )
        )
        for s in range(sims)
    ]


@given(st.lists(st.integers(0, 19), min_size=1, max_size=6))
@few
def test_a_sim_is_the_same_whatever_stands_beside_it(sims):
    all_sims = bits(simulate(PROCESS, 1, CELL, range(20)), 20)
    assert bits(simulate(PROCESS, 1, CELL, sims), len(sims)) == [all_sims[sim] for sim in sims]


def test_seed_cell_and_sim_each_make_other_data():
    def first(seed: int, cell: dict[str, float], sim: int) -> bytes:
        return bits(simulate(PROCESS, seed, cell, [sim]), 1)[0]

    other = {**CELL, "between_cluster_sigma": 0.25}
    assert len({first(1, CELL, 0), first(2, CELL, 0), first(1, CELL, 1), first(1, other, 0)}) == 4


def test_cell_key_is_the_sha_256_of_the_sorted_values():
    # printf '{"between_cluster_sigma": 0.25, "clusters": 10}' | sha256sum
    digest = bytes.fromhex("07f533b156661ed8e47c4f99ce21e7cc")
    key = cell_key({"clusters": 10, "between_cluster_sigma": 0.25})
    assert key == tuple(int(word) for word in np.frombuffer(digest, "<u4"))


@pytest.mark.parametrize("factor", ["clusters", "between_cluster_sigma"])
def test_levels_1_and_1_0_are_the_same_cell(factor):
    assert cell_key({factor: level(factor, 1)}) == cell_key({factor: level(factor, 1.0)})


def test_sample_moments():
    # 400 sims of 20 x 10 x 2 slopes; each bound is 5 Monte Carlo standard errors
    process = Process(20, 10, 0.5, 2, {"uniform": [-1, 3]}, 2.0)
    drawn = simulate(process, 7, CELL, range(400))
    truth, shard = drawn.truth, drawn.shard
    assert abs(truth.mean() - 1) < 5 * (4 / 12**0.5) / 1200**0.5
    # Var of the sample variance of a uniform: (mu4 - sigma^4) / n = 4^4 (1/80 - 1/144) / n
    assert abs(truth.var() - 16 / 12) < 5 * (256 * (1 / 80 - 1 / 144) / 1200) ** 0.5
    assert truth.min() >= -1 and truth.max() <= 3
    deviation = drawn.cluster_coefficients - truth[:, None]
    error = shard.y - (shard.X * np.repeat(drawn.cluster_coefficients.reshape(-1, 3), 10, 0)).sum(1)
    normal = {
        "coefficients": (deviation.reshape(-1, 3), 0.5),
        "predictors": (shard.X[:, 1:], 1.0),
        "errors": (error[:, None], 2.0),
    }
    for name, (x, sigma) in normal.items():
        count = np.sqrt(len(x))
        assert np.all(np.abs(x.mean(0)) < 5 * sigma / count), name
        assert np.all(np.abs(x.var(0) - sigma**2) < 5 * sigma**2 * np.sqrt(2) / count), name
        correlations = np.tril(np.atleast_2d(np.corrcoef(x.T)), -1)
        assert np.all(np.abs(correlations) < 5 / count), name
    assert np.all(shard.X[:, 0] == 1)
    # clusters, and rows of a cluster, are independent
    pairs = deviation[:, :-1, 0] * deviation[:, 1:, 0] / 0.25
    assert abs(pairs.mean()) < 5 / np.sqrt(pairs.size)
    rows = error.reshape(-1, 10)
    assert abs((rows[:, :-1] * rows[:, 1:]).mean() / 4) < 5 / np.sqrt(rows[:, 1:].size)


def test_residual_sigma_scales_the_errors_alone():
    none, one, four = (
        simulate(replace(PROCESS, residual_sigma=sigma), 1, CELL, range(3))
        for sigma in (0.0, 1.0, 4.0)
    )
    for other in (one, four):
        assert np.array_equal(other.shard.X, none.shard.X)
        assert np.array_equal(other.truth, none.truth)
        assert np.array_equal(other.cluster_coefficients, none.cluster_coefficients)
    error = one.shard.y - none.shard.y
    np.testing.assert_allclose(four.shard.y - none.shard.y, 4 * error, rtol=0, atol=1e-14)
    b = np.repeat(none.cluster_coefficients.reshape(-1, 3), 3, axis=0)
    np.testing.assert_allclose(none.shard.y, (none.shard.X * b).sum(1), rtol=1e-14, atol=1e-14)


def test_between_cluster_sigma_scales_the_clusters_deviations_alone():
    one, three = (
        simulate(replace(PROCESS, between_cluster_sigma=sigma), 1, CELL, [0]) for sigma in (1, 3)
    )
    assert np.array_equal(one.truth, three.truth) and np.array_equal(one.shard.X, three.shard.X)
    np.testing.assert_allclose(
        three.cluster_coefficients - three.truth,
        3 * (one.cluster_coefficients - one.truth),
        rtol=1e-13,
    )


def test_given_coefficients_are_the_truth_of_every_sim():
    drawn = simulate(replace(PROCESS, coefficients=[0.0, 2.0, -1.0]), 1, CELL, range(3))
    assert drawn.truth.tolist() == [[0.0, 2.0, -1.0]] * 3


def test_shape_and_names():
    drawn = simulate(PROCESS, 1, CELL, [5, 2])
    assert drawn.shard.n.tolist() == [[3] * 4] * 2
    assert drawn.shard.terms == ("(Intercept)", "IV1", "IV2")
    assert drawn.truth.shape == (2, 3) and drawn.cluster_coefficients.shape == (2, 4, 3)
    alone = simulate(replace(PROCESS, predictors=0), 1, CELL, [0])
    assert alone.shard.terms == ("(Intercept)",) and np.all(alone.shard.X == 1)

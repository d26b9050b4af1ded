from __future__ import annotations

import numpy as np
import pytest

from clustrategy.estimation.mixed.covariance import Diagonal, Unstructured
from clustrategy.estimation.mixed.reml import Criterion
from tests.material import random_shard

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def some_structures() -> list:
    shard = random_shard(6, 3, 8, 3, 8)
    root = Criterion.of(shard.triangles, shard.n_obs, np.arange(3)).random_root
    columns = np.tile([0, 2], (3, 1))
    return [
        Unstructured(3),
        Diagonal.of(root, np.tile(np.arange(3), (3, 1))),
        Diagonal.of(root, columns),
    ]


@pytest.mark.parametrize("structure", some_structures(), ids=["any", "diagonal", "some"])
def test_a_structure_agrees_with_itself(structure):
    rng = np.random.default_rng(2)
    k = structure.basis.shape[1]
    theta = rng.uniform(0.5, 2.0, (3, k))
    factor = structure.factor(theta)
    psi = factor @ np.swapaxes(factor, 1, 2)
    np.testing.assert_allclose(structure.theta(factor), theta, rtol=1e-13)

    def along(step: np.ndarray) -> np.ndarray:
        moved = structure.factor(theta + step)
        return (moved @ np.swapaxes(moved, 1, 2)).reshape(3, -1)

    # Psi is quadratic in theta: central differences are exact.
    for place, unit in enumerate(np.eye(k)):
        expected = (along(unit) - along(-unit)) / 2.0
        np.testing.assert_allclose(structure.directions(factor)[:, place], expected, atol=1e-12)
    slope = rng.standard_normal((3, 3, 3))
    slope += np.swapaxes(slope, 1, 2)
    bend = structure.hessian_term(slope)
    for i, one in enumerate(np.eye(k)):
        for j, other in enumerate(np.eye(k)):
            second = along(one + other) - along(one) - along(other) + along(0.0 * one)
            expected = (second * slope.reshape(3, -1)).sum(axis=1)
            np.testing.assert_allclose(bend[:, i, j], expected, atol=1e-12)
    again = structure.project(factor)
    np.testing.assert_allclose(again @ np.swapaxes(again, 1, 2), psi, atol=1e-12)
    slopes, rays = structure.rank_one_directions(slope)
    np.testing.assert_allclose(((rays @ slope) * rays).sum(axis=2), slopes, atol=1e-12)
    wider = structure.add_rank_one(factor, rays[:, -1], np.array([0.0, 1.0, 4.0]))
    grown = psi + np.array([0.0, 1.0, 4.0])[:, None, None] * (
        rays[:, -1, :, None] * rays[:, -1, None, :]
    )
    np.testing.assert_allclose(wider @ np.swapaxes(wider, 1, 2), grown, atol=1e-12)


@pytest.mark.parametrize("structure", some_structures(), ids=["any", "diagonal", "some"])
def test_in_other_coordinates_psi_is_the_same(structure):
    rng = np.random.default_rng(3)
    factor = structure.factor(rng.uniform(0.5, 2.0, (3, structure.basis.shape[1])))
    back = rng.standard_normal((3, 3, 3))
    other, turned = structure.turned(back, factor)
    root = back @ factor
    for found in (turned, other.factor(other.theta(turned))):
        np.testing.assert_allclose(
            found @ np.swapaxes(found, 1, 2), root @ np.swapaxes(root, 1, 2), atol=1e-12
        )
    random_root = np.tile(np.triu(rng.uniform(0.5, 1.5, (3, 3))), (3, 1, 1))
    np.testing.assert_allclose(
        other.to_lme4(turned, random_root @ np.linalg.inv(back)),
        structure.to_lme4(factor, random_root),
        rtol=1e-9,
    )
    mixed = structure.put(np.array([1]), other.take(np.array([1])))
    for sim, one in enumerate((structure, other, structure)):
        expected = one.uniform(2.0, 3)[sim]
        np.testing.assert_array_equal(mixed.uniform(2.0, 3)[sim], expected)

"""Points of the REML criterion at a theta of one's choice, for tests of what follows a fit."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from clustrategy.core.shard import Shard
from clustrategy.estimation.mixed.covariance import triangular
from clustrategy.estimation.mixed.models import random_columns
from clustrategy.estimation.mixed.reml import Criterion, Point
from tests.dense import lower
from tests.material import FOLDER, golden, random_shard

GOLDEN = json.loads((FOLDER / "mixed_inference.json").read_text())["datasets"]
FITTED = [(name, model) for name in GOLDEN for model in GOLDEN[name] if GOLDEN[name][model]]


def point_at(shard: Shard, random: Sequence[int] | np.ndarray, factor: np.ndarray) -> Point:
    """The criterion where L, in Z's own columns, is `factor` (q, q) or (S, q, q)."""
    criterion = Criterion.of(shard.triangles, shard.n_obs, np.array(random))
    inside = np.linalg.solve(
        criterion.random_root, np.broadcast_to(factor, (shard.sims, *factor.shape[-2:]))
    )
    return criterion.at(triangular(inside))


def contrasts_of(point: Point) -> np.ndarray:
    """X's own coefficients, in the coordinates of J."""
    return point.criterion.root @ point.J


def sigma_of(point: Point) -> np.ndarray:
    """(S, 1) the residual standard deviation."""
    criterion = point.criterion
    return (criterion.scale * np.sqrt(point.rss / criterion.nu))[:, None]


def golden_point(name: str, model: str) -> Point:
    """Where lme4's optimiser stopped."""
    shard = golden(name)
    theta = np.array(GOLDEN[name][model]["theta"])
    if model == "mixed_uncorrelated":
        return point_at(shard, np.flatnonzero(random_columns(shard)[0]), np.diag(theta))
    random = np.flatnonzero(random_columns(shard)[0])
    return point_at(shard, [0] if model == "mixed_intercept" else random, lower(theta))


@st.composite
def fits(draw: st.DrawFn) -> tuple[Shard, list[int], np.ndarray]:
    """A dataset, which of its coefficients are random, and a factor that may be singular."""
    p = draw(st.integers(1, 4))
    least = draw(st.integers(p + 1, p + 3))
    sizes: list[int | tuple[int, int]] = [least, (2, least + 3)]
    rows = draw(st.sampled_from(sizes))
    shard = random_shard(draw(st.integers(0, 10**6)), 1, draw(st.integers(p + 2, 7)), p, rows)
    random = draw(st.lists(st.integers(0, p - 1), min_size=1, max_size=p, unique=True).map(sorted))
    if p > 1 and draw(st.booleans()):  # the last predictor a cluster's
        values = np.random.default_rng(p).standard_normal(shard.clusters)
        shard.X[:, -1] = values[shard.cluster_codes(0)]
        random = [k for k in random if k < p - 1] or [0]
    q = len(random)
    size = draw(st.sampled_from([0.3, 1.0, 5.0]))
    factor = np.tril(size * np.random.default_rng(q).standard_normal((q, q)))
    kept = draw(st.integers(0, q))
    factor[:, kept:] = 0.0
    return shard, random, factor


def equal_clusters(sims: int = 2, clusters: int = 7) -> Shard:
    """Every cluster with the same rows of X."""
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(6), rng.standard_normal((6, 2))])
    b = rng.standard_normal((sims, clusters, 1, 3))
    y = (X * b).sum(axis=3) + rng.standard_normal((sims, clusters, 6))
    return Shard.balanced(y, np.broadcast_to(X, (sims, clusters, 6, 3)), ("(Intercept)", "a", "b"))


def symmetric(sims: int, q: int) -> np.ndarray:
    """(S, m, q q) the directions of an unstructured Psi, in whatever coordinates."""
    rows, columns = np.tril_indices(q)
    basis = np.zeros((sims, rows.size, q, q))
    basis[:, np.arange(rows.size), rows, columns] = 1.0
    basis[:, np.arange(rows.size), columns, rows] = 1.0
    return basis.reshape(sims, rows.size, q * q)


def diagonal(random_root: np.ndarray) -> np.ndarray:
    """(S, q, q q) the directions of a Psi that is diagonal in Z's own columns.

    `random_root` is the criterion's.
    """
    S, q, _ = random_root.shape
    columns = np.swapaxes(np.linalg.inv(random_root), 1, 2)
    return (columns[..., :, None] * columns[..., None, :]).reshape(S, q, q * q)

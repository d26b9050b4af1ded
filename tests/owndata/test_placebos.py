"""What placebos of a term keep of the real one, and what they do to tests of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from clustrategy.core.inference import t_inference
from clustrategy.core.one_design import on_one_design
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.design.leverage import leverage
from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.owndata.placebos import FLIPPED, PERMUTED, Placebos, placebos

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def design(sizes: list[int], **columns: Floats) -> Shard:
    n = np.array([sizes])
    X = np.column_stack([np.ones(n.sum()), *columns.values()])
    return Shard(np.zeros(n.sum()), X, n, (INTERCEPT, *columns))


def drawn(shard: Shard, *columns: int, draws: int = 30, seed: int = 1) -> Placebos:
    return placebos(shard, columns, draws, np.random.default_rng(seed))


def by_cluster(values: list[float], sizes: list[int]) -> Floats:
    return np.repeat(np.array(values, dtype=float), sizes)


def rejected(shard: Shard, column: int = 1) -> float:
    fits = Strategy.parse("mixed_intercept").fit(shard)
    p = t_inference(fits.estimate, fits.std_error, fits.df).p_value[:, column]
    return float((p < 0.05).mean())


def on_a_placebo_each(shard: Shard) -> Shard:
    """Take the real mean slope from every dataset, and flip the first predictor's signs."""
    rows = shard.X.copy()
    y = shard.y.copy()
    for sim in range(shard.sims):
        here, one = shard.rows(sim), shard.dataset(sim)
        y[here] -= one.X[:, 1] * np.linalg.lstsq(one.X, one.y)[0][1]
        (rows[here],) = (made.X for made in drawn(one, 1, draws=1, seed=sim).designs())
    return Shard(y, rows, shard.n, shard.terms)


def test_the_rates_of_a_random_intercept_model_where_slopes_vary():
    """Those of own_data.md, whose three numbers are shares of 300: 47, 12 and 56 datasets.

    Of the cell of the default study with 30 clusters of 25 rows and a standard deviation of 0.25.
    To permute the predictor within clusters makes the test look sound; to flip signs does not.
    """
    cell = {"clusters": 30, "obs_per_cluster": 25, "between_cluster_sigma": 0.25}
    process = Process.of({"predictors": 3, "coefficients": [0.0] * 4, "residual_sigma": 1.0}, cell)
    sims = 300
    shard = simulate(process, 3, cell, range(sims)).shard
    x = shard.X.copy()
    by_row = x[:, 1].reshape(-1, 25)
    x[:, 1] = np.random.default_rng(2).permuted(by_row, axis=1).reshape(-1)
    found = [
        rejected(shard),
        rejected(Shard(shard.y, x, shard.n, shard.terms)),
        rejected(on_a_placebo_each(shard)),
    ]
    for rate, known in zip(found, [47 / 300, 12 / 300, 56 / 300], strict=True):
        error = np.sqrt(known * (1 - known) * 2 / 300)
        assert abs(rate - known) < 2.6 * error
    assert found[1] < 0.5 * min(found[0], found[2])


def test_flips_reject_as_often_as_the_closed_form_says():
    """A predictor of -1 and 1, balanced in each cluster: 21.2 % by the normal distribution.

    The estimate's variance is (0.0625 + 1/26) / 30, which the model takes for (1 + 0.0625) / 780.
    """
    G, n, sims = 30, 26, 500
    rng = np.random.default_rng(4)
    x = np.tile([-1.0, 1.0], G * n // 2)
    shard = design([n] * G, x=x)
    slopes = 0.25 * rng.standard_normal((sims, G)).repeat(n, axis=1)
    y = slopes * x + 0.5 * rng.standard_normal((sims, G)).repeat(n, axis=1)
    y += rng.standard_normal((sims, G * n))
    ratio = (0.0625 + 1 / n) / ((1 + 0.0625) / n)
    expected = 2 * stats.norm.cdf(-1.96 / np.sqrt(ratio))
    assert round(expected, 3) == 0.212
    y -= (y @ x)[:, None] / x.size * x
    made = drawn(shard, 1, draws=25)
    rate = np.mean([rejected(on_one_design(y[k::25], one)) for k, one in enumerate(made.designs())])
    assert abs(rate - expected) < 3 * np.sqrt(expected * (1 - expected) / sims)


def test_flips_keep_the_other_columns_and_what_these_say_of_the_predictor():
    rng = np.random.default_rng(5)
    sizes = [3, 5, 4, 6, 3, 7, 4]
    z = rng.standard_normal(32)
    shard = design(
        sizes, z=z, x=0.6 * z + rng.standard_normal(32), w=by_cluster([*range(7)], sizes)
    )
    others = shard.X[:, [0, 1, 3]]
    codes = shard.cluster_codes(0)
    rest = shard.X[:, 2] - others @ np.linalg.lstsq(others, shard.X[:, 2])[0]
    made = drawn(shard, 2)
    assert (made.kind, made.note, made.times.sum()) == (FLIPPED, "", 30)
    for one, signs in zip(made.designs(), made.moves, strict=True):
        assert np.array_equal(one.X[:, [0, 1, 3]], others)
        expected = shard.X[:, 2] - rest + signs[codes] * rest
        np.testing.assert_allclose(one.X[:, 2], expected, atol=1e-12)
        assert np.array_equal(one.X[signs[codes] == 1], shard.X[signs[codes] == 1])


def test_flips_of_a_predictor_alone_keep_each_clusters_share_of_it():
    rng = np.random.default_rng(6)
    x = np.tile([-1.5, -0.5, 0.5, 1.5], 8) * rng.exponential(size=8).repeat(4)
    shard = design([4] * 8, x=x)
    for one in drawn(shard, 1).designs():
        np.testing.assert_allclose(leverage(one).partial, leverage(shard).partial, rtol=1e-10)


def test_flips_of_a_cross_level_interaction_assign_arms_anew():
    """Given the slope, the interaction is half the slope's column, of either sign by arm."""
    age = np.tile([-1.0, 0.0, 1.0], 8)
    arm = np.repeat([0.0, 1.0] * 4, 3)
    shard = design([3] * 8, age=age, arm=arm, product=age * arm)
    for one in drawn(shard, 3).designs():
        slope = one.X[:, 3].reshape(8, 3)[:, 2]
        assert set(np.round(slope, 12)) <= {0.0, 1.0}
        np.testing.assert_allclose(one.X[:, 3], age * slope.repeat(3), atol=1e-12)


def test_a_clusters_predictor_is_permuted_and_stays_constant_within_clusters():
    sizes = [2, 3, 2, 3, 3, 2, 2, 3]
    arm = [0, 1, 0, 1, 1, 0, 1, 0]
    shard = design(sizes, arm=by_cluster(arm, sizes))
    made = drawn(shard, 1)
    assert (made.kind, made.note) == (PERMUTED, "")
    assert made.times.sum() == 30
    assert len(made.moves) == len(np.unique(np.array(arm)[made.moves], axis=0)) > 15
    for one, move in zip(made.designs(), made.moves, strict=True):
        np.testing.assert_allclose(one.X[:, 1], by_cluster(np.array(arm)[move], sizes), atol=1e-12)
        first = np.cumsum(sizes) - sizes
        assert np.array_equal(one.X[:, 1], one.X[first, 1].repeat(sizes))


def test_what_other_predictors_say_of_a_clusters_predictor_stays():
    """Kennedy's residuals, by the clusters' means: those of least squares on these, weighted."""
    rng = np.random.default_rng(7)
    sizes = [4, 5, 6, 4, 5, 6, 5, 4]
    z = rng.standard_normal(39)
    w = rng.standard_normal(8)
    shard = design(sizes, z=z, w=by_cluster(w, sizes))
    means = np.array([part.mean() for part in np.split(z, np.cumsum(sizes)[:-1])])
    A = np.column_stack([np.ones(8), means])
    W = np.diag(np.array(sizes, dtype=float))
    fit = A @ np.linalg.solve(A.T @ W @ A, A.T @ W @ w)
    made = drawn(shard, 2, draws=5)
    for one, move in zip(made.designs(), made.moves, strict=True):
        expected = by_cluster(fit + (w - fit)[move], sizes)
        np.testing.assert_allclose(one.X[:, 2], expected, atol=1e-12)


def test_the_columns_of_a_factor_move_together():
    sizes = [3] * 9
    level = np.repeat([0, 1, 2] * 3, 3)
    shard = design(sizes, b=(level == 1).astype(float), c=(level == 2).astype(float))
    for one in drawn(shard, 1, 2).designs():
        rows = np.unique(np.abs(np.round(one.X[:, 1:], 10)), axis=0)
        assert rows.tolist() == [[0, 0], [0, 1], [1, 0]]
        np.testing.assert_allclose(one.X[:, 1:].sum(axis=0), [9, 9])


def test_unequal_clusters_exchange_values_with_like_ones_alone():
    """Of 6, 7, 11 and 8 rows, and of 40, 45, 70 and 60; that of 300 has none of its like."""
    sizes = [6, 40, 7, 45, 300, 11, 70, 8, 60]
    shard = design(sizes, w=by_cluster([1, 2, 3, 4, 5, 6, 7, 8, 9], sizes))
    made = drawn(shard, 1)
    assert made.note == (
        "permuted within 3 groups of like size and leverage, 1 of them a single cluster, which "
        "stays as it is"
    )
    small, large = [0, 2, 5, 7], [1, 3, 6, 8]
    for move in made.moves:
        assert sorted(move[small]) == small
        assert sorted(move[large]) == large
        assert move[4] == 4
    assert len(made.moves) > 25


def test_clusters_that_other_predictors_make_unlike_do_not_exchange():
    """Equal sizes; in four clusters the covariate is ten times as large."""
    scale = np.array([1.0] * 4 + [10.0] * 4).repeat(6)
    shard = design([6] * 8, z=scale * np.tile([-1.0, 1.0], 24), w=by_cluster([*range(8)], [6] * 8))
    made = drawn(shard, 2)
    assert made.note == "permuted within 2 groups of like size and leverage"
    assert (made.moves[:, :4] < 4).all()


def test_where_too_few_are_alike_all_exchange():
    sizes = [3, 10, 30, 90, 270, 810]
    shard = design(sizes, w=by_cluster([*range(6)], sizes))
    made = drawn(shard, 1)
    assert made.note == "too few clusters are alike in size and leverage: permuted among all"
    assert len(made.moves) > 25


@pytest.mark.parametrize(
    ("arms", "note"),
    [
        ([0, 0, 0, 0, 0, 1], "no placebo: there are only 6 ways to assign it to the clusters"),
        ([0, 1, 0, 1], "no placebo: there are only 6 ways to assign it to the clusters"),
        ([0, 1, 2], "no placebo: there are only 6 ways to assign it to the clusters"),
    ],
)
def test_a_predictor_of_few_assignments_has_no_placebo(arms, note):
    sizes = [4] * len(arms)
    made = drawn(design(sizes, arm=by_cluster(arms, sizes)), 1)
    assert (made.note, [*made.designs()]) == (note, [])


def test_clusters_that_others_explain_fully_leave_nothing_to_exchange():
    """The means of another predictor and two of clusters fit whatever four clusters have."""
    sizes = [3] * 4
    cols = {f"d{k}": by_cluster([float(g == k) for g in range(4)], sizes) for k in (1, 2)}
    z = np.random.default_rng(3).standard_normal(12)
    made = drawn(design(sizes, z=z, **cols, w=by_cluster([0, 0, 0, 1], sizes)), 4)
    assert made.note == "no placebo: there is no other way to assign it to the clusters"


def test_two_clusters_have_no_flips():
    shard = design([5, 5], x=np.random.default_rng(1).standard_normal(10))
    made = drawn(shard, 1)
    assert made.note == "no placebo: it varies, given the others, in 2 clusters, too few to flip"
    assert not made.times.size


def test_flips_leave_clusters_alone_in_which_there_is_nothing_to_flip():
    """A policy that begins in six of ten clusters, with fixed effects of all clusters."""
    sizes = [4] * 10
    on = np.zeros((10, 4))
    on[:6, 2:] = 1.0
    dummies = {f"c{k}": by_cluster([float(g == k) for g in range(10)], sizes) for k in range(1, 10)}
    made = drawn(design(sizes, policy=on.reshape(-1), **dummies), 1)
    assert (made.moves[:, 6:] == 1).all()
    assert (made.moves[:, 0] == 1).all()
    assert len(made.moves) > 10

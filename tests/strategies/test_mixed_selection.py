from __future__ import annotations

import json
from collections import Counter
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings

from clustrategy.audit.judgement import is_mixed, judge
from clustrategy.audit.references import references
from clustrategy.core.errors import ConfigError
from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy, registry
from clustrategy.estimation.mixed import optimizer, selection, standard_errors
from clustrategy.estimation.mixed.covariance import Diagonal, Unstructured
from clustrategy.estimation.mixed.fit import at_theta
from clustrategy.estimation.mixed.models import MODELS, formula, is_singular, random_columns
from clustrategy.estimation.mixed.optimizer import minimise
from clustrategy.estimation.mixed.reml import Criterion
from tests.dense import Dense, gradient, hessian
from tests.material import (
    FOLDER,
    few,
    fit,
    fitted,
    golden,
    join,
    random_shard,
    same_bits,
    shards,
)

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
EXPECTED = json.loads((FOLDER / "selection.json").read_text())
SELECTED, UNCORRELATED = EXPECTED["selected"], EXPECTED["uncorrelated"]
CHOSEN = {
    "fallback": {"strategy": "mixed_fallback"},
    "LRT": {"strategy": "mixed_selected"},
    "AIC": {"strategy": "mixed_selected", "by": "AIC"},
}
NEW = ("mixed_uncorrelated", "mixed_fallback", "mixed_selected")


@cache
def drawn() -> dict[str, Shard]:
    """The datasets of selection.json."""
    table = pd.read_csv(FOLDER / "selection_datasets.csv", float_precision="round_trip")
    shards = {}
    for name, rows in table.groupby("dataset", sort=False):
        X = np.column_stack([np.ones(len(rows)), rows[["x1", "x2", "x3"]]])
        sizes = rows.groupby("cluster").size().to_numpy()
        terms = (INTERCEPT, "x1", "x2", "x3")
        shards[str(name)] = Shard(rows["y"].to_numpy(), X, sizes[None, :], terms)
    return shards


def tiny(sigma: float, sims: int, clusters: int = 10, rows: int = 5) -> Shard:
    process = Process(clusters, rows, sigma, 3, {"uniform": [0, 1]}, 1.0)
    return simulate(process, 7, {"clusters": clusters, "s": sigma}, range(sims)).shard


def crowd() -> Shard:
    """Of every model that can be kept some datasets."""
    return join(*(tiny(sigma, 12) for sigma in (0.1, 0.5, 1.0, 4.0)))


def assert_is(found: Fits, expected: dict, sim: int = 0) -> None:
    """The numbers of R's optimum."""
    unit = np.array(expected["std_error"])
    assert abs(found.reml_criterion[sim] - expected["reml"]) < 1e-8
    np.testing.assert_allclose(
        found.estimate[sim] / unit, np.array(expected["estimate"]) / unit, atol=1e-5
    )
    np.testing.assert_allclose(found.std_error[sim], unit, rtol=2e-5)
    np.testing.assert_allclose(found.df[sim], expected["df"], rtol=2e-4)
    theta = found.theta[sim][~np.isnan(found.theta[sim])]
    np.testing.assert_allclose(theta, expected["theta"], rtol=1e-4, atol=1e-4)
    assert found.singular[sim] == expected["singular"]
    assert found.status[sim] == ("singular" if expected["singular"] else "ok")


# --- uncorrelated: lme4 -------------------------------------------------------------------


@pytest.mark.parametrize("expected", UNCORRELATED, ids=lambda entry: entry["dataset"])
def test_uncorrelated_is_lme4s_on_the_golden_datasets(expected):
    assert_is(fit(golden(expected["dataset"]), "mixed_uncorrelated"), expected)


@pytest.mark.parametrize("name", SELECTED)
def test_uncorrelated_is_lme4s_on_small_ones_and_never_above(name):
    expected = SELECTED[name]["uncorrelated"]
    found = fit(drawn()[name], "mixed_uncorrelated")
    assert_is(found, expected)
    assert found.reml_criterion[0] < expected["lme4_reml"] + 1e-8


def test_the_uncorrelated_fits_hold_singular_ones():
    both = [*UNCORRELATED, *(entry["uncorrelated"] for entry in SELECTED.values())]
    several = Counter(min(2, sum(t < 1e-4 for t in one["theta"])) for one in both)
    assert several[0] >= 20 and several[1] >= 10 and several[2] >= 5


@pytest.mark.lme4
@pytest.mark.parametrize(
    ("engine", "scale", "to"),
    [("lme4", 1.0, 1e-3), ("lme4_unbounded", 1.0, 1e-6), ("lme4_unbounded", 1e3, 1e-6)],
)
def test_the_engines_of_lme4_give_each_random_coefficient_a_term(engine, scale, to, needs_r):
    shard = random_shard(3, 1, 12, 3, (4, 20))
    shard.X[:, 1] = scale * (shard.X[:, 1] + 1.0)
    found = fit(shard, "mixed_uncorrelated")
    other = fit(shard, "mixed_uncorrelated", engine=engine)
    np.testing.assert_allclose(found.reml_criterion, other.reml_criterion, rtol=0, atol=to)
    np.testing.assert_allclose(found.std_error, other.std_error, rtol=max(1e-5, to))
    np.testing.assert_allclose(found.theta, other.theta, rtol=1e-3, atol=to)
    np.testing.assert_allclose(found.df, other.df, rtol=1e-3)


# --- uncorrelated: the model by hand ------------------------------------------------------


def deviance(dense: Dense, parameters: np.ndarray):
    """The REML deviance as a function of L's diagonal and sigma."""
    theta, sigma = parameters[:-1], parameters[-1]
    dets, _, rss = dense.parts(np.diag(theta * theta))
    return dets + dense.nu * np.log(2.0 * np.pi * sigma**2) + rss / sigma**2


def satterthwaite(dense: Dense, theta: np.ndarray, sigma: float) -> np.ndarray:
    """Degrees of freedom by the delta method, all derivatives taken numerically."""

    def variances(parameters: np.ndarray) -> np.ndarray:
        return parameters[-1] ** 2 * np.diag(dense.C(np.diag(parameters[:-1] ** 2)))

    at = np.append(theta, sigma)
    values, vectors = np.linalg.eigh(hessian(partial(deviance, dense), at))
    kept = values > 1e-8
    along = gradient(variances, at) @ vectors[:, kept]
    return 2.0 * variances(at) ** 2 / (2.0 * along**2 / values[kept]).sum(axis=1)


@given(shard=shards())
@settings(few, max_examples=15)
def test_numbers_of_an_uncorrelated_fit_belong_to_its_theta_which_is_an_optimum(shard):
    shard = shard.dataset(0)
    found = fitted(shard, "mixed_uncorrelated")
    theta, sigma = found.theta[0], found.sigma[0]
    assert theta.shape == (shard.p,) and (theta >= 0).all()
    dense = Dense.of(shard, range(shard.p))
    psi = np.diag(theta**2)
    criterion = dense.criterion(psi)
    _, beta, rss = dense.parts(psi)
    np.testing.assert_allclose(found.reml_criterion[0], criterion, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.estimate[0], beta, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(sigma, np.sqrt(rss / dense.nu), rtol=1e-8)
    np.testing.assert_allclose(
        found.std_error[0], sigma * np.sqrt(np.diag(dense.C(psi))), rtol=1e-8
    )
    np.testing.assert_allclose(found.df[0], satterthwaite(dense, theta, sigma), rtol=1e-5)
    rng = np.random.default_rng(0)
    for step in (1e-3, 1e-2, 0.1, 1.0):
        other = theta + step * rng.standard_normal(theta.size)
        assert dense.criterion(np.diag(other**2)) > criterion - 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_no_variance_that_is_zero_would_lower_the_criterion_were_it_not(seed):
    """And of those that are not zero the derivative vanishes: Karush, Kuhn and Tucker."""
    shard = tiny((0.1, 0.3, 0.6, 1.0)[seed], 40)
    criterion = Criterion.of(shard.triangles, shard.n_obs, np.arange(4)).diagonal()
    minimum = minimise(criterion)
    assert minimum.converged.all()
    structure = criterion.structure
    slope = criterion.at(minimum.factor).derivatives().slope
    slopes = structure.rank_one_directions(slope).slopes
    theta = structure.theta(minimum.factor)
    zero = np.abs(theta) < 1e-4
    assert zero.any() and not zero.all()
    assert (slopes[zero] > -1e-3).all()
    np.testing.assert_allclose((slopes * theta)[~zero], 0.0, atol=1e-3)


def test_of_several_minima_it_finds_the_least():
    """Against 8 random starts each; 200 tiny datasets, of which a few have several."""
    shard = tiny(2.0, 200)
    criterion = Criterion.of(shard.triangles, shard.n_obs, np.arange(4)).diagonal()
    found = criterion.at(minimise(criterion).factor).value
    many = criterion.take(np.tile(np.arange(200), 8))
    rng = np.random.default_rng(1)
    starts = np.abs(rng.standard_normal((1600, 4))) * 10.0 ** rng.uniform(-2, 1.3, (1600, 1))
    ends = optimizer._trust_region(many, many.structure.factor(starts))
    values = np.where(ends.converged, many.at(ends.factor).value, np.inf).reshape(8, 200)
    assert (values.max(axis=0) - values.min(axis=0) > 1e-4).sum() >= 1
    assert (found <= values.min(axis=0) + 1e-6).all()


def test_where_only_the_intercept_varies_all_models_are_one():
    shard = random_shard(3, 4, 9, 1, (4, 8))
    one = fitted(shard, "mixed_intercept")
    for name in NEW:
        other = fitted(shard, name)
        np.testing.assert_allclose(other.reml_criterion, one.reml_criterion, rtol=1e-13)
        np.testing.assert_allclose(other.std_error, one.std_error, rtol=1e-9)
        np.testing.assert_allclose(other.df, one.df, rtol=1e-7)
        np.testing.assert_allclose(other.theta, one.theta, rtol=1e-7, atol=1e-9)
        if name != "mixed_uncorrelated":
            assert set(other.message) <= {"kept: intercept", f"kept: intercept; {one.message[0]}"}


def test_the_same_predictors_in_every_cluster_give_the_variances_of_the_models_in_turn():
    """Orthogonal x, the same in each cluster: the coefficients' estimates do not correlate.

    Then a diagonal Psi leaves each coefficient an analysis of variance of its own: SE and
    df = G - 1 are those of two-stage, as of the maximal model.
    """
    G, n = 12, 7
    rng = np.random.default_rng(8)
    x = np.linalg.qr(
        np.column_stack([np.ones(n), np.linspace(-1, 1, n), np.linspace(-1, 1, n) ** 2])
    )
    X = np.tile(x[0] * np.sqrt(n), (G, 1))
    X[:, 0] = 1.0
    y = (X * np.repeat(rng.standard_normal((G, 3)), n, axis=0)).sum(axis=1)
    y += 0.3 * rng.standard_normal(G * n)
    shard = Shard(y, X, np.full((1, G), n), (INTERCEPT, "x1", "x2"))
    found, own = fitted(shard, "mixed_uncorrelated"), fitted(shard, "two_stage")
    assert found.status[0] == "ok"
    np.testing.assert_allclose(found.estimate, own.estimate, rtol=1e-9)
    np.testing.assert_allclose(found.std_error, own.std_error, rtol=1e-7)
    np.testing.assert_allclose(found.df, G - 1, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e3, 1e-6])
def test_units_do_not_matter_to_an_uncorrelated_model(scale):
    shard = join(random_shard(1, 2, 10, 3, (4, 9)), random_shard(12, 2, 10, 3, (4, 9)))
    plain = fitted(shard, "mixed_uncorrelated")
    assert set(plain.status) == {"ok", "singular"}
    units = np.array([1.0, scale, 1.0])
    found = fitted(Shard(shard.y, shard.X * units, shard.n, shard.terms), "mixed_uncorrelated")
    shift = 2 * np.log(scale)  # of log|X' V^-1 X|
    np.testing.assert_allclose(
        found.reml_criterion - shift, plain.reml_criterion, rtol=0, atol=1e-9
    )
    np.testing.assert_allclose(found.std_error * units, plain.std_error, rtol=1e-9)
    np.testing.assert_allclose(found.df, plain.df, rtol=1e-6)
    np.testing.assert_allclose(found.theta * units, plain.theta, rtol=1e-6, atol=1e-7)


def test_a_shift_of_a_predictor_makes_another_uncorrelated_model():
    """But it is fitted as well, whose criterion can be checked in full."""
    shard = random_shard(4, 1, 12, 3, (6, 12))
    X = shard.X.copy()
    X[:, 1] += 1e3
    shifted = Shard(shard.y, X, shard.n, shard.terms)
    plain, found = (fitted(one, "mixed_uncorrelated") for one in (shard, shifted))
    assert abs(found.reml_criterion[0] - plain.reml_criterion[0]) > 0.1
    dense = Dense.of(shifted, range(3))
    criterion = dense.criterion(np.diag(found.theta[0] ** 2))
    np.testing.assert_allclose(found.reml_criterion[0], criterion, rtol=0, atol=1e-6)
    for step in (1e-6, 1e-4, 1e-2, 1.0):
        for sign in (-1.0, 1.0):
            for place in range(3):
                theta = found.theta[0].copy()
                theta[place] *= 1.0 + sign * step
                assert dense.criterion(np.diag(theta**2)) > criterion - 1e-6


def test_the_formula_has_a_term_for_each_random_coefficient():
    shard = random_shard(1, 1, 4, 3, 5)
    names = ["a", "b", "c"]
    assert formula(shard, names, [0, 2], correlated=False) == (
        "y ~ 1 + b + c + (1 | cluster) + (0 + c | cluster)"
    )


@pytest.mark.parametrize(("theta", "expected"), [(0.99e-4, True), (1.01e-4, False)])
def test_singular_is_any_of_the_diagonal(theta, expected):
    for place in range(3):
        elements = np.ones((1, 3))
        elements[0, place] = theta
        assert is_singular(elements, correlated=False).tolist() == [expected]


def test_cluster_level_predictors_get_no_random_slope():
    shard = golden("orthodont")
    assert np.flatnonzero(random_columns(shard)[0]).tolist() == [0, 1]
    assert fitted(shard, "mixed_uncorrelated").theta.shape == (1, 2)


# --- structures of Psi --------------------------------------------------------------------


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


# --- what is kept: the loop in R ----------------------------------------------------------


@pytest.mark.parametrize("how", CHOSEN)
def test_what_is_kept_is_what_a_loop_over_lme4_models_keeps(how):
    for name, shard in drawn().items():
        expected = SELECTED[name][how]
        found = fit(shard, **CHOSEN[how])
        assert found.message[0].split("; ")[0] == f"kept: {expected['kept']}", name
        assert_is(found, expected)


@pytest.mark.parametrize("how", CHOSEN)
def test_the_loop_keeps_models_of_many_kinds(how):
    kept = Counter(entry[how]["kept"].split(" (")[0] for entry in SELECTED.values())
    assert min(kept[kind] for kind in ("maximal", "uncorrelated", "intercept")) >= 5


# --- what is kept: properties -------------------------------------------------------------


def test_the_fallback_is_the_first_model_that_is_ok_bit_for_bit():
    shard = crowd()
    found = fit(shard, "mixed_fallback")
    models = ("maximal", "uncorrelated", "intercept")
    fits = {name: fit(shard, f"mixed_{name}") for name in models}
    kept = Counter()
    for sim in range(shard.sims):
        good = [name for name in models if fits[name].status[sim] == "ok"]
        name = good[0] if good else "intercept"
        kept[name, found.status[sim]] += 1
        expected = fits[name]
        for column in ("estimate", "std_error", "df", "reml_criterion", "sigma", "singular"):
            np.testing.assert_array_equal(
                getattr(found, column)[sim], getattr(expected, column)[sim]
            )
        theta = found.theta[sim]
        np.testing.assert_array_equal(theta[: expected.theta.shape[1]], expected.theta[sim])
        assert np.isnan(theta[expected.theta.shape[1] :]).all()
        said = [f"kept: {name}", expected.message[sim]]
        assert found.message[sim] == "; ".join(filter(None, said))
        assert found.status[sim] == expected.status[sim]
    assert len(kept) == 4


@pytest.mark.parametrize("by", ["LRT", "AIC"])
def test_a_selected_model_that_is_a_strategy_of_its_own_has_its_numbers(by):
    shard = crowd()
    found = fit(shard, "mixed_selected", by=by)
    names = Counter()
    for sim, message in enumerate(found.message):
        name = message.split("; ")[0].removeprefix("kept: ")
        names[name] += 1
        if "(" in name:
            continue
        expected = fit(shard.dataset(sim), f"mixed_{name}")
        np.testing.assert_allclose(
            found.reml_criterion[sim], expected.reml_criterion[0], rtol=0, atol=1e-9
        )
        np.testing.assert_allclose(found.std_error[sim], expected.std_error[0], rtol=1e-6)
        np.testing.assert_allclose(found.df[sim], expected.df[0], rtol=1e-5)
        assert found.status[sim] == expected.status[0]
    assert {"maximal", "uncorrelated", "intercept"} <= set(names)


def test_slopes_go_before_the_intercept_in_any_order_of_the_columns():
    """Each slope's variance zero in turn: the one that is not there goes, the others stay."""
    for absent in (1, 2, 3):
        shard = random_shard(20 + absent, 1, 30, 4, 12)
        rng = np.random.default_rng(absent)
        b = np.repeat(1.5 * rng.standard_normal((30, 4)), 12, axis=0)
        b[:, absent] = 0.4
        shard = Shard(
            (shard.X * b).sum(axis=1) + rng.standard_normal(360), shard.X, shard.n, shard.terms
        )
        # the residuals' variance of the slope that is absent is nothing but chance
        left = [f"x{k}" for k in (1, 2, 3) if k != absent]
        found = fitted(shard, "mixed_selected", by="AIC")
        assert found.message[0] == f"kept: uncorrelated ({' + '.join(left)})"
        dense = Dense.of(shard, [k for k in range(4) if k != absent])
        theta = found.theta[0][~np.isnan(found.theta[0])]
        assert theta.shape == (3,)
        criterion = dense.criterion(np.diag(theta**2))
        np.testing.assert_allclose(found.reml_criterion[0], criterion, rtol=0, atol=1e-9)


def test_a_model_without_fit_is_passed_over():
    """Fewer rows than random effects of the maximal model, but not of simpler ones."""
    shard = random_shard(2, 3, 8, 4, 3)
    assert set(fit(shard, "mixed_maximal").status) == {"undefined"}
    found = fit(shard, "mixed_fallback")
    intercept = fit(shard, "mixed_intercept")
    assert same_bits(found, _padded(intercept, found.theta.shape[1]))
    for by in ("LRT", "AIC"):
        selected = fit(shard, "mixed_selected", by=by)
        assert set(selected.status) <= {"ok", "singular"}
        assert (np.isfinite(selected.theta).sum(axis=1) <= 2).all()


def _padded(fits: Fits, width: int) -> Fits:
    return Fits.concatenate([fits, Fits.blank(0, fits.estimate.shape[1], width)])


@pytest.mark.parametrize("name", ["mixed_fallback", "mixed_selected"])
def test_what_no_model_can_be_fitted_to_keeps_its_reason(name):
    lone = random_shard(1, 1, 1, 2, 9)
    dependent = random_shard(1, 1, 5, 3, 9)
    dependent.X[:, 2] = dependent.X[:, 1]
    exact = random_shard(1, 1, 6, 3, 8)
    exact = Shard(exact.X.sum(axis=1), exact.X, exact.n, exact.terms)
    for shard, words in (
        (lone, "one cluster: a mixed model needs two"),
        (dependent, "the predictors are linearly dependent"),
        (exact, "the predictors explain the response exactly: there is no residual variance"),
    ):
        found = fit(shard, name)
        assert (found.status[0], found.message[0]) == ("undefined", words)
        assert np.isnan([found.estimate, found.std_error, found.df]).all()


@pytest.mark.parametrize("name", ["mixed_fallback", "mixed_selected"])
def test_a_model_that_explains_the_response_exactly_is_passed_over(name):
    shard = random_shard(1, 2, 6, 3, 8)
    b = np.repeat(np.random.default_rng(0).standard_normal((12, 3)), 8, axis=0)
    shard = Shard((shard.X * b).sum(axis=1), shard.X, shard.n, shard.terms)
    assert "no residual variance" in fit(shard, "mixed_maximal").message[0]
    assert "no residual variance" in fit(shard, "mixed_uncorrelated").message[0]
    found = fit(shard, name)
    assert set(found.message) <= {"kept: intercept", "kept: uncorrelated (x1)"}
    assert set(found.status) == {"ok"}


def test_without_an_intercept_there_is_no_random_intercept_to_end_with():
    full = tiny(1.0, 12)
    shard = Shard(full.y, full.X[:, 1:], full.n, full.terms[1:])
    maximal, uncorrelated = (fit(shard, f"mixed_{name}") for name in ("maximal", "uncorrelated"))
    found = fit(shard, "mixed_fallback")
    for sim in range(shard.sims):
        good = [one for one in (maximal, uncorrelated) if one.status[sim] == "ok"]
        if good:
            np.testing.assert_array_equal(found.estimate[sim], good[0].estimate[sim])
        else:
            assert found.status[sim] == "error"
            assert "needs a model with an intercept" in found.message[sim]
    assert set(found.status) == {"ok", "error"}
    assert set(fit(shard, "mixed_selected").status) == {"error"}


# --- determinism --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mixed_uncorrelated", {}),
        ("mixed_fallback", {}),
        ("mixed_selected", {}),
        ("mixed_selected", {"by": "AIC", "df": "normal"}),
    ],
)
def test_the_bits_of_a_dataset_do_not_depend_on_its_shard(name, options):
    shard = crowd()
    together = fit(shard, name, **options)
    alone = Fits.concatenate([fit(shard.dataset(s), name, **options) for s in range(shard.sims)])
    assert same_bits(together, alone)
    assert list(together.message) == list(alone.message)


@pytest.mark.parametrize("name", NEW)
def test_datasets_of_one_shard_may_differ_in_which_predictors_are_random(name):
    varying = random_shard(5, 1, 8, 3, (5, 9))
    constant = Shard(varying.y, varying.X.copy(), varying.n, varying.terms)
    constant.X[:, 1] = np.linspace(-1.0, 1.0, 8)[constant.cluster_codes(0)]
    parts = (varying, constant, varying)
    both = fitted(join(*parts), name)
    assert same_bits(both, Fits.concatenate([fitted(part, name) for part in parts]))


# --- options ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mixed_maximal", "mixed_intercept", *NEW])
def test_normal_degrees_of_freedom_change_nothing_else(name):
    shard = join(random_shard(1, 2, 10, 3, (4, 9)), random_shard(12, 2, 10, 3, (12, 20)))
    plain, normal = fitted(shard, name), fitted(shard, name, df="normal")
    assert np.isinf(normal.df).all() and np.isfinite(plain.df).all()
    np.testing.assert_array_equal(normal.std_error, plain.std_error)
    np.testing.assert_array_equal(normal.theta, plain.theta)
    assert list(normal.message) == list(plain.message)


@pytest.mark.parametrize("name", ["mixed_maximal", "mixed_intercept", *NEW])
def test_kenward_and_roger_have_a_variance_of_their_own(name):
    with pytest.raises(ConfigError, match="df: kenward_roger goes with its own variance; with"):
        Strategy.parse({"strategy": name, "df": "kenward_roger", "variance": "CR2"})
    for options in (
        {"df": "kenward_roger"},
        {"variance": "CR2"},
        {"variance": "CR2", "df": "normal"},
    ):
        assert Strategy.parse({"strategy": name, **options}).options == options


@pytest.mark.parametrize("name", ["mixed_maximal", "mixed_uncorrelated", "mixed_intercept"])
def test_variances_and_df_come_from_where_the_options_say(name, monkeypatch):
    """Both modules replaced by ones that answer with multiples of the model's own variance."""
    seen = {}

    def kenward_roger(point, contrasts, basis):
        seen["basis"] = np.array(basis)
        return 4.0 * (contrasts**2).sum(axis=2), np.full(contrasts.shape[:2], 7.0)

    def cr2(point, triangles, contrasts):
        seen["triangles"] = triangles
        sigma2 = (point.rss / point.criterion.nu)[:, None]
        return 9.0 * sigma2 * (contrasts**2).sum(axis=2), np.full(contrasts.shape[:2], 5.0)

    monkeypatch.setattr(standard_errors, "kenward_roger", kenward_roger)
    monkeypatch.setattr(standard_errors, "cr2", cr2)
    shard = random_shard(7, 3, 9, 3, (6, 12))
    plain = fitted(shard, name)
    found = fitted(shard, name, df="kenward_roger")
    np.testing.assert_allclose(found.std_error, 2.0 * plain.std_error, rtol=1e-14)
    assert (found.df == 7.0).all()
    free = {"mixed_maximal": 6, "mixed_uncorrelated": 3, "mixed_intercept": 1}[name]
    q = 1 if name == "mixed_intercept" else 3
    assert seen["basis"].shape == (3, free, q * q)
    for df, expected in (("satterthwaite", 5.0), ("normal", np.inf)):
        found = fitted(shard, name, variance="CR2", df=df)
        np.testing.assert_allclose(found.std_error, 3.0 * plain.std_error, rtol=1e-12)
        assert (found.df == expected).all()
    np.testing.assert_array_equal(seen["triangles"], shard.triangles)


@pytest.mark.parametrize("name", ["mixed_uncorrelated", "mixed_intercept"])
@pytest.mark.parametrize(
    ("key", "options"),
    [("kenward_roger", {"df": "kenward_roger"}), ("CR2", {"variance": "CR2"})],
)
def test_kenward_roger_and_cr2_are_those_of_pbkrtest_and_clubsandwich(name, key, options):
    """At the theta where lme4 stopped, which for these models is the optimum within 1e-4."""
    known = json.loads((FOLDER / "mixed_inference.json").read_text())["datasets"]
    compared = 0
    for dataset, models in known.items():
        if models[name] is None:
            continue
        expected, found = models[name][key], fitted(golden(dataset), name, **options)
        np.testing.assert_allclose(found.std_error[0], expected["std_error"], rtol=1e-4)
        np.testing.assert_allclose(found.df[0], expected["df"], rtol=1e-4)
        compared += 1
    assert compared >= 10


# --- the audit ----------------------------------------------------------------------------


def test_uncorrelated_models_are_audited_by_lme4_those_that_are_selected_by_nothing():
    assert list(registry()["mixed_uncorrelated"]) == ["numpy", "lme4", "lme4_unbounded"]
    found = [one.engine for one in references(Strategy.parse("mixed_uncorrelated"), "lme4")]
    assert found == ["lme4", "lme4_unbounded"]
    assert is_mixed(Strategy.parse("mixed_uncorrelated"))
    for name in ("mixed_fallback", "mixed_selected"):
        assert list(registry()[name]) == ["numpy"]
        assert references(Strategy.parse(name), "lme4") == []


def test_the_audit_recomputes_the_df_of_an_uncorrelated_reference():
    shard = random_shard(3, 1, 12, 3, (6, 12))
    found = fitted(shard, "mixed_uncorrelated")
    exact = at_theta(shard, MODELS["mixed_uncorrelated"], found.theta, np.array([True]))
    np.testing.assert_allclose(exact.df, found.df, rtol=1e-9)
    reference = fitted(shard, "mixed_uncorrelated")
    reference.df *= 1.1
    strategy = Strategy.parse("mixed_uncorrelated")
    verdict = judge(shard, strategy, found, reference, found.reml_criterion)
    assert verdict.tolist() == ["reference_df"]


def test_the_level_of_the_tests_is_that_of_the_paper():
    assert selection.ALPHA == 0.2


# --- what ignoring random slopes costs ----------------------------------------------------


@pytest.mark.parametrize("sigma", [0.1, 0.25, 1.0])
def test_a_random_intercept_alone_rejects_true_nulls_as_often_as_slopes_make_it(sigma):
    """With p iid predictors and slopes of SD tau the size is about 2 Phi(-1.96 / sqrt(lambda)).

    lambda = (s^2 + tau^2 (n + p)) / (s^2 + p tau^2), what the slopes' variance is over what the
    model takes it for; the test with the uncorrelated model keeps its level.
    """
    n, p, sims = 25, 3, 400
    process = Process(30, n, sigma, p, [0.0] * (p + 1), 1.0)
    shard = simulate(process, 11, {"clusters": 30, "s": sigma}, range(sims)).shard

    def rejected(strategy: str) -> np.ndarray:
        found = fitted(shard, strategy)
        statistic = np.abs(found.estimate / found.std_error)[:, 1:]
        return (statistic > scipy.stats.t.ppf(0.975, found.df[:, 1:])).mean()

    inflation = (1.0 + sigma**2 * (n + p)) / (1.0 + sigma**2 * p)
    expected = 2.0 * scipy.stats.norm.cdf(-1.96 / np.sqrt(inflation))
    assert abs(rejected("mixed_intercept") - expected) < 0.04
    assert abs(rejected("mixed_uncorrelated") - 0.05) < 0.025

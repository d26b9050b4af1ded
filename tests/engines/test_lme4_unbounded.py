from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clustrategy.core.errors import EngineError
from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.engines import lme4, lme4_unbounded
from clustrategy.engines.chosen import Strategy
from clustrategy.engines.one_by_one import fit_random
from tests.material import FOLDER, GOLDEN, fit, golden, join, random_shard

MODELS = ("mixed_maximal", "mixed_intercept")
FITTED = [(name, model) for name in GOLDEN for model in MODELS if GOLDEN[name][model]]
ENGINE = "lme4_unbounded"
OPTIMUM = pd.read_csv(FOLDER / "optimum.csv")


@pytest.fixture(scope="module")
def r() -> None:
    """Skip where there is no R with lme4 and lmerTest, or no rpy2."""
    try:
        lme4_unbounded.check()
    except EngineError as error:
        pytest.skip(str(error))


def covariance(theta: np.ndarray) -> np.ndarray:
    """Relative covariance matrix of the random effects."""
    q = int(np.sqrt(2 * theta.size))
    factor = np.zeros((q, q))
    factor[np.triu_indices(q)[::-1]] = theta
    return factor @ factor.T


@pytest.mark.lme4
@pytest.mark.parametrize(("name", "model"), FITTED)
def test_reaches_the_best_of_many_searches(r, name, model):
    best = GOLDEN[name][model]["best"]
    found = fit(golden(name), model, engine=ENGINE)
    assert abs(found.reml_criterion[0] - best["reml"]) < 1e-7
    np.testing.assert_allclose(found.estimate[0], best["estimate"], rtol=1e-4)
    np.testing.assert_allclose(found.std_error[0], best["std_error"], rtol=1e-4)
    np.testing.assert_allclose(found.df[0], best["df"], rtol=1e-2)
    np.testing.assert_allclose(found.sigma[0], best["sigma"], rtol=1e-5)
    np.testing.assert_allclose(
        covariance(found.theta[0]), covariance(np.array(best["theta"])), rtol=1e-3, atol=1e-3
    )
    assert found.singular[0] == best["singular"]
    assert found.status[0] == ("singular" if best["singular"] else "ok")


@pytest.mark.lme4
@pytest.mark.parametrize("row", OPTIMUM.itertuples(), ids=lambda row: str(row.dataset))
def test_finds_the_optimum_that_lme4s_bounds_hide(r, row):
    data = pd.read_csv(FOLDER / "optimum_datasets.csv")
    data = data[data["dataset"] == row.dataset]
    terms = ("IV1", "IV2", "IV3")
    X = np.column_stack([np.ones(len(data)), data[[*terms]]])
    sizes = data.groupby("Group").size().to_numpy()
    shard = Shard(data["DV"].to_numpy(), X, sizes[None, :], (INTERCEPT, *terms))
    found = fit(shard, "mixed_maximal", engine=ENGINE)
    assert abs(found.reml_criterion[0] - row.crit_best) < 1e-7 < row.crit_lme4_default
    estimate = [row.beta0, row.beta1, row.beta2, row.beta3]
    np.testing.assert_allclose(found.estimate[0], estimate, rtol=1e-5)
    std_error = [row.se0, row.se1, row.se2, row.se3]
    np.testing.assert_allclose(found.std_error[0], std_error, rtol=1e-5)
    assert (found.theta[0][[0, 4, 7, 9]] >= 0).all()
    # lme4's default stays where it was, and its checks, made all the same, see it
    bounded = fit(shard, "mixed_maximal", engine="lme4")
    np.testing.assert_allclose(bounded.reml_criterion[0], row.crit_lme4_default, atol=1e-3)
    assert bounded.status[0] == "singular" and bounded.gradient_warning[0]
    assert not (found.gradient_warning[0] or found.hessian_warning[0])
    intercept = fit(shard, "mixed_intercept", engine=ENGINE)
    assert abs(intercept.reml_criterion[0] - row.crit_mis) < 1e-6


@pytest.mark.lme4
@pytest.mark.parametrize("factor", [1e6, 1e-6, 3.0])
def test_units_do_not_matter(r, factor):
    shard = random_shard(5, 1, 12, 3, (5, 9))
    found = fit(shard, "mixed_maximal", engine=ENGINE)
    X = shard.X.copy()
    X[:, 1:] *= factor
    other = fit(replace(shard, y=100 * shard.y, X=X), "mixed_maximal", engine=ENGINE)
    assert other.status[0] == found.status[0] == "ok"
    slopes = np.array([1.0, factor, factor]) / 100
    np.testing.assert_allclose(other.estimate * slopes, found.estimate, rtol=1e-5)
    np.testing.assert_allclose(other.std_error * slopes, found.std_error, rtol=1e-5)
    np.testing.assert_allclose(other.df, found.df, rtol=1e-4)
    np.testing.assert_allclose(other.sigma, 100 * found.sigma, rtol=1e-6)
    rows = [1, factor, factor, factor, factor, factor]
    np.testing.assert_allclose(other.theta * rows, found.theta, rtol=1e-4, atol=1e-6)
    # |X'V^-1 X| takes the predictors' units, the residual sum of squares the response's
    moved = 2 * (2 * np.log(factor) + (len(shard.y) - 3) * np.log(100))
    np.testing.assert_allclose(other.reml_criterion - moved, found.reml_criterion, atol=1e-7)


@pytest.mark.lme4
def test_what_has_no_optimum_is_a_row_and_harms_no_neighbour(r):
    shard = random_shard(5, 1, 12, 3, (5, 9))
    found = Fits.blank(2, shard.p, 6)
    random = np.ones((2, shard.p), dtype=bool)
    both = join(shard, replace(shard, y=0 * shard.y))
    fit_random(both, random, found, lme4_unbounded.fit_one)
    alone = fit(shard, "mixed_maximal", engine=ENGINE)
    assert list(found.status) == ["ok", "error"]
    assert "the REML criterion has no minimum" in found.message[1]
    for column in ("estimate", "std_error", "df", "theta", "reml_criterion"):
        assert np.array_equal(getattr(found, column)[0], getattr(alone, column)[0])


def test_what_is_missing_is_said_as_for_lme4(monkeypatch):
    monkeypatch.setattr(lme4, "installed", lambda: {"R": "4.2.2", "lme4": "1.1.31"})
    sentence = "the engine 'lme4_unbounded' needs the R package lmerTest, which this R"
    with pytest.raises(EngineError, match=sentence):
        Strategy.parse("mixed_maximal", ENGINE).check()
    versions = {"R": "4.2.2", "lme4": "1.1-31", "lmerTest": "3.1-3"}
    monkeypatch.setattr(lme4, "installed", lambda: versions | {"Matrix": "1.5-3"})
    assert Strategy.parse("mixed_maximal", ENGINE).versions == versions

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.fits import Fit, Fits, fit_each
from clustrategy.core.shard import Shard
from clustrategy.engines.chosen import Strategy
from clustrategy.strategies.registry import REGISTERED, strategy
from tests.material import random_shard


def test_a_first_failure_keeps_its_reason():
    fits = Fits.blank(3, 2)
    fits.estimate[:] = fits.std_error[:] = fits.df[:] = 1.0
    fits.fail(np.array([True, False, False]), "undefined", "first")
    fits.fail(np.array([True, True, False]), "error", ["a", "b", "c"])
    assert list(fits.status) == ["undefined", "error", "ok"]
    assert list(fits.message) == ["first", "b", ""]
    assert np.isnan(fits.estimate[:2]).all() and (fits.estimate[2] == 1).all()


def test_concatenate_pads_theta():
    both = Fits.concatenate([Fits.blank(1, 2, theta=1), Fits.blank(2, 2, theta=3)])
    both.theta[0, 0] = 1.0
    assert both.theta.shape == (3, 3) and np.isnan(both.theta[0, 1:]).all()
    assert both.estimate.shape == (3, 2) and len(both.status) == 3


def test_p_values_of_further_null_values_are_joined_blanked_and_checked():
    parts = [Fits.blank(1, 2), Fits.blank(3, 2, nulls=2)]
    for part in parts:
        part.estimate[:] = part.std_error[:] = 1.0
        part.p_value[:], part.p_nulls[:] = 0.5, 0.25
    parts[1].p_nulls[1, 0, 1] = np.nan
    fits = Fits.concatenate(parts)
    assert fits.p_nulls.shape == (4, 2, 2) and np.isnan(fits.p_nulls[0]).all()
    assert np.array_equal(fits.p_nulls[1:], parts[1].p_nulls, equal_nan=True)
    parts[1].fail(np.array([True, False, False]), "undefined", "why")
    parts[1].check()
    assert list(parts[1].status) == ["undefined", "undefined", "ok"]
    assert np.isnan(parts[1].p_nulls[:2]).all() and (parts[1].p_nulls[2] == 0.25).all()
    parts[1].std_error[2, 0] = parts[1].p_nulls[2, 0] = np.nan
    parts[1].check()
    assert parts[1].status[2] == "ok", "a coefficient that is not tested has none"


def test_fit_each_passes_over_what_has_failed_and_keeps_exceptions_as_rows():
    shard = random_shard(1, 3, 2, 2, 3)
    out = Fits.blank(3, 2)
    out.fail(np.array([True, False, False]), "undefined", "before")
    seen = []

    def one(dataset: Shard) -> Fit:
        seen.append(dataset.y[0])
        if len(seen) == 1:
            raise ValueError("")
        return Fit(np.ones(2), np.ones(2), np.ones(2), message="fine")

    found = fit_each(shard, one, out)
    assert seen == [shard.y[6], shard.y[12]]
    assert list(found.status) == ["undefined", "error", "ok"]
    assert list(found.message) == ["before", "ValueError", "fine"]
    flags = ("singular", "optimizer_warning", "gradient_warning", "hessian_warning")
    assert not any(getattr(found, flag).any() for flag in flags)


def sound(sims: int) -> Fits:
    """Fits of two coefficients that are what fits are to be."""
    fits = Fits.blank(sims, 2)
    fits.estimate[:], fits.std_error[:], fits.df[:] = 0.0, 1.0, np.inf
    return fits


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("estimate", np.nan),
        ("estimate", np.inf),
        ("std_error", np.nan),
        ("std_error", np.inf),
        ("std_error", 0.0),
        ("std_error", -1.0),
        ("df", np.nan),
        ("df", 0.0),
        ("df", -2.0),
    ],
)
@pytest.mark.parametrize("status", ["ok", "singular"])
def test_a_usable_fit_without_numbers_is_undefined(column, value, status):
    fits = sound(3)
    fits.status[:] = [status, status, "not_converged"]
    getattr(fits, column)[1:, 0] = value
    fits.check()
    assert list(fits.status) == [status, "undefined", "not_converged"]
    assert fits.message[1].startswith("an estimate, standard error or df is not finite or is 0")
    assert fits.message[0] == fits.message[2] == ""
    assert np.isnan(fits.estimate[1]).all() and np.isnan(fits.std_error[1]).all()
    assert np.isfinite(fits.estimate[0]).all()


def test_coefficients_that_are_not_estimated_or_not_tested_are_left_out_soundly():
    fits = sound(4)
    fits.estimate[0, 0] = fits.std_error[0, 0] = fits.df[0, 0] = np.nan
    fits.std_error[1, 0] = fits.df[1, 0] = np.nan
    fits.df[2] = np.nan
    fits.p_value[2] = 0.5  # By resampling.
    fits.estimate[3] = fits.std_error[3] = fits.df[3] = np.nan
    fits.check()
    assert list(fits.status) == ["ok", "ok", "ok", "undefined"]


def test_no_strategy_returns_a_usable_fit_without_numbers():
    def overflowing(shard: Shard) -> Fits:
        fits = sound(shard.sims)
        fits.std_error[0] = np.inf
        return fits

    strategy("overflowing")(overflowing)
    try:
        fits = Strategy.parse("overflowing").fit(random_shard(1, 3, 2, 2, 3))
    finally:
        del REGISTERED["overflowing"]
    assert list(fits.status) == ["undefined", "ok", "ok"]

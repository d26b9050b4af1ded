from __future__ import annotations

import numpy as np

from clustrategy.core.fits import Fit, Fits, fit_each
from clustrategy.core.shard import Shard
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

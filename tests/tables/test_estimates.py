"""Estimates as rows: the tests of a strategy's own, and those of the t distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from clustrategy.core.fits import Fits
from clustrategy.tables.estimates import ESTIMATES, estimates_table


def test_tests_of_its_own_stand_beside_those_of_t() -> None:
    fits = Fits.blank(2, 2)
    fits.estimate[:], fits.std_error[:], fits.df[:] = [[1, 2], [3, 4]], 2.0, 7.0
    fits.p_value[1, 0], fits.p_value_low[1, 0] = 0.25, 0.125
    fits.conf_low[1, 0], fits.conf_high[1, 0] = -9.0, 9.0
    table = estimates_table(fits, ("(Intercept)", "IV1"), [3, 8], "A", "numpy")
    assert table.schema == ESTIMATES
    rows = table.to_pylist()
    assert [(row["sim"], row["term"], row["estimate"]) for row in rows] == [
        (3, "(Intercept)", 1.0),
        (3, "IV1", 2.0),
        (8, "(Intercept)", 3.0),
        (8, "IV1", 4.0),
    ]
    assert {(row["strategy"], row["engine"]) for row in rows} == {("A", "numpy")}
    assert [row["p_value_low"] for row in rows] == [None, None, 0.125, None]
    own = rows.pop(2)
    assert (own["p_value"], own["conf_low"], own["conf_high"]) == (0.25, -9.0, 9.0)
    assert own["statistic"] == 1.5
    law = stats.t(7)
    for row in rows:
        assert row["p_value"] == pytest.approx(2 * law.sf(row["estimate"] / 2))
        limits = row["estimate"] + 2 * np.array(law.interval(0.95))
        assert [row["conf_low"], row["conf_high"]] == pytest.approx(limits.tolist())

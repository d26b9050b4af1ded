"""Estimates as rows: the tests of a strategy's own, and those of the t distribution."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from clustrategy.core.fits import Fits
from clustrategy.tables.estimates import (
    ESTIMATES,
    NULLS,
    estimates_table,
    fits_from_tables,
    fits_table,
    null_values,
)


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


def test_p_values_of_further_null_values_are_lists_and_read_back() -> None:
    fits = Fits.blank(3, 2, nulls=2)
    fits.estimate[:2], fits.std_error[:2] = 1.0, 2.0
    fits.p_value[:2], fits.p_nulls[:2] = 0.5, [[[0.5, 0.25], [0.125, 1.0]], [[0.0, 0.1], [1, 1]]]
    fits.p_nulls[0, 1] = np.nan
    fits.fail(np.array([False, False, True]), "undefined", "why")
    terms = ("(Intercept)", "IV1")
    table = estimates_table(fits, terms, range(3), "A", "numpy")
    assert table.schema == ESTIMATES and table.column_names[-1] == NULLS
    lists = [[0.5, 0.25], None, [0.0, 0.1], [1.0, 1.0], None, None]
    assert table[NULLS].to_pylist() == lists
    glance = fits_table(fits, range(3), "A", "numpy")
    read = fits_from_tables(table, glance)
    assert np.array_equal(read.p_nulls, fits.p_nulls, equal_nan=True)
    parts = pa.concat_tables([table.slice(2), table.slice(0, 2)])
    read = fits_from_tables(parts, glance)
    assert np.array_equal(read.p_nulls, fits.p_nulls[[1, 2, 0]], equal_nan=True)
    none = estimates_table(Fits.blank(2, 2), terms, range(2), "A", "numpy")
    assert none[NULLS].null_count == 4
    assert fits_from_tables(none, glance.slice(0, 2)).p_nulls.shape == (2, 2, 0)


def test_the_null_values_are_the_truth_and_the_truth_less_each_effect() -> None:
    nulls = null_values(np.array([[1.0, 0.0], [0.25, -2.0]]), [0.5, 0.25])
    assert nulls.tolist() == [
        [[1.0, 0.5, 0.75], [0.0, -0.5, -0.25]],
        [[0.25, -0.25, 0.0], [-2.0, -2.5, -2.25]],
    ]

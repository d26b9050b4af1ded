from __future__ import annotations

import numpy as np
import scipy.stats

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests

GROUPS = [np.array([0, 1]), np.array([2])]
NUMBERS = ("statistic", "num_df", "den_df", "p_value")


def filled() -> JointTests:
    tests = JointTests.blank(3, GROUPS)
    tests.fill(0, np.array([2.0, np.nan, 3.0]), np.array([9.0, 9.0, -1.0]), "no variance")
    tests.fill(1, np.array([4.0, 4.0, 4.0]), np.inf, "", None)
    return tests


def test_p_values_are_of_f_or_of_chi_squared():
    tests = filled()
    np.testing.assert_allclose(tests.p_value[0, 0], scipy.stats.f.sf(2.0, 2, 9), rtol=1e-12)
    np.testing.assert_allclose(tests.p_value[:, 1], scipy.stats.chi2.sf(4.0, 1), rtol=1e-12)
    assert list(tests.num_df[0]) == [2.0, 1.0] and list(tests.message[0]) == ["", ""]


def test_where_there_is_no_test_all_numbers_are_blank_and_the_message_says_why():
    tests = filled()
    assert list(tests.message[:, 0]) == ["", "no variance", "no degrees of freedom"]
    assert np.isnan([getattr(tests, name)[1:, 0] for name in NUMBERS]).all()


def test_p_values_of_resampling_need_no_df():
    tests = JointTests.blank(1, GROUPS)
    tests.fill(0, np.array([2.0]), np.nan, "", np.array([0.25]))
    assert tests.p_value[0, 0] == 0.25 and np.isnan(tests.den_df[0, 0])
    assert tests.message[0, 0] == ""


def test_what_the_fits_leave_out_is_left_out():
    tests, fits = filled(), Fits.blank(3, 3)
    fits.estimate[:] = fits.std_error[:] = fits.df[:] = 1.0
    fits.std_error[0, 1] = fits.df[0, 1] = np.nan
    fits.fail(np.array([False, False, True]), "undefined", "one cluster")
    found = tests.agree_with(fits, GROUPS, ["a", "b", "c"])
    assert found is tests
    assert found.message.tolist() == [
        ["the strategy does not test b", ""],
        ["no variance", ""],
        ["one cluster", "one cluster"],
    ]
    assert np.isnan([getattr(tests, name)[2] for name in NUMBERS]).all()
    assert np.isfinite([getattr(tests, name)[0, 1] for name in NUMBERS[:2]]).all()


def test_some_datasets_and_groups_are_put_in_place_of_others():
    tests, other = filled(), JointTests.blank(1, GROUPS[1:])
    other.fill(0, np.array([9.0]), 5.0, "")
    tests.put(np.array([2]), other, [1])
    assert list(tests.statistic[:, 1]) == [4.0, 4.0, 9.0] and tests.den_df[2, 1] == 5.0
    assert tests.message[2, 0] == "no degrees of freedom"


def test_tests_of_several_shards_are_joined():
    joined = JointTests.concatenate([filled(), filled()])
    assert joined.statistic.shape == joined.message.shape == (6, 2)
    assert np.array_equal(joined.p_value[3:], filled().p_value, equal_nan=True)

"""The shapes of the draws, seen through normals that are all the same."""

from __future__ import annotations

import numpy as np
from scipy import stats

from clustrategy.core.shard import Floats
from clustrategy.dgp.distributions import Distribution, standardised
from clustrategy.dgp.seeds import Generators

MANY = 100_000
ONES = np.ones(MANY)


def drawn(name: Distribution, normals: Floats, rng: np.random.Generator) -> Floats:
    """Draw what one sim has."""
    return standardised(name, normals, Generators([rng]), normals.size)


def test_students_t_has_the_chi_square_of_5_df() -> None:
    """x = z / sqrt(chi2(5) / 5) / sqrt(5/3), so that 3 / x^2 is the chi-square where z is 1."""
    chi2 = 3 / drawn("t", ONES, np.random.default_rng(1)) ** 2
    assert stats.kstest(chi2, stats.chi2(5).cdf).pvalue > 1e-3
    assert abs(chi2.mean() - 5) < 4 * np.sqrt(10 / MANY)


def test_students_t_has_the_tails_of_5_df() -> None:
    rng = np.random.default_rng(2)
    x = np.abs(drawn("t", rng.standard_normal(400_000), rng)) * np.sqrt(5 / 3)
    for tail in (0.1, 0.01, 0.001):
        beyond = (x > stats.t(5).isf(tail / 2)).mean()
        assert abs(beyond - tail) < 4 * np.sqrt(tail / x.size)


def test_one_draw_in_ten_is_three_times_as_wide() -> None:
    x = drawn("contaminated", ONES, np.random.default_rng(3))
    values, counts = np.unique(x, return_counts=True)
    np.testing.assert_allclose(values, [1 / np.sqrt(1.8), 3 / np.sqrt(1.8)], rtol=1e-14)
    assert abs(counts[1] / MANY - 0.1) < 4 * np.sqrt(0.09 / MANY)


def test_the_exponential_has_the_probability_of_the_normal() -> None:
    z = np.array([-9.0, -1.5, 0.0, 2.0, 9.0])
    x = drawn("skewed", z, np.random.default_rng(4))
    np.testing.assert_allclose(x[1:], stats.expon(loc=-1).isf(stats.norm.sf(z))[1:], rtol=1e-12)
    assert x[0] == -1.0

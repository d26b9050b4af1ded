from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.estimation.confidence_set import HALF, ConfidenceSet, Search, confidence_sets
from tests.material import few


def confidence_set(polynomials: np.ndarray, most: int) -> ConfidenceSet:
    """The sets of one dataset."""
    return confidence_sets([Search.begin(polynomials, most)], most)


def draws(rng: np.random.Generator, B: int) -> np.ndarray:
    """n(tau)^2 - tau^2 d(tau) of B draws as a bootstrap has them, (5, B)."""
    n0, n1 = 0.5 * rng.standard_normal((2, B))
    d = rng.random((3, B))
    d1 = (2.0 * d[1] - 1.0) * np.sqrt(d[0] * d[2])
    return np.array([n0 * n0, 2.0 * n0 * n1, n1 * n1 - d[0], -2.0 * d1, -d[2]])


def values(polynomials: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """Of polynomials (5, B) at tau (n,), (n, B)."""
    return np.polynomial.polynomial.polyval(tau[:, None], polynomials[:, None, :], tensor=False)


def pieces(polynomials: np.ndarray, most: int) -> list[tuple[float, float]]:
    """All pieces of the set, from all roots of all polynomials."""
    roots = np.concatenate([np.polynomial.polynomial.polyroots(c) for c in polynomials.T])
    events = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
    ends = np.concatenate([[-np.inf], events, [np.inf]])
    outer = np.concatenate([[events[0] - 1.0], events, [events[-1] + 1.0]])
    middles = (outer[:-1] + outer[1:]) / 2.0
    inside = (values(polynomials, middles) >= 0.0).sum(axis=1) > most
    found: list[tuple[float, float]] = []
    for low, high, kept in zip(ends[:-1], ends[1:], inside, strict=True):
        if kept and found and found[-1][1] == low:
            found[-1] = found[-1][0], high
        elif kept:
            found.append((low, high))
    return found


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_it_is_the_piece_around_zero_of_all_that_the_roots_tell_apart(scale):
    kinds = {(islands, endless): 0 for islands in (False, True) for endless in (False, True)}
    rng = np.random.default_rng(7)
    for most in (1, 2, 5, 9) * 5:
        two = np.stack([draws(rng, 25), draws(rng, 25)], axis=1)
        two[3:, 0, :3] = 0.0
        two[2, 0, :3] = rng.uniform(-0.3, 0.6)
        found = confidence_set(two / scale ** np.arange(5.0)[:, None, None], most)
        for k in range(2):
            every = pieces(two[:, k], most)
            around = next((low, high) for low, high in every if low <= 0.0 <= high)
            np.testing.assert_allclose(
                (found.low[k] / scale, found.high[k] / scale), around, rtol=1e-10
            )
            assert found.islands[k] == (len(every) > 1)
            kinds[len(every) > 1, bool(np.isinf(around).any())] += 1
    assert min(kinds.values()) >= 1, kinds


@given(st.integers(0, 10**6))
@few
def test_a_dense_grid_sees_nothing_else(seed):
    polynomials, most = draws(np.random.default_rng(seed), 30), 3
    found = confidence_set(polynomials[:, None], most)
    far = np.geomspace(1e-3, 1e3, 3000)
    tau = np.concatenate([-far, far])
    inside = (values(polynomials, tau) >= 0.0).sum(axis=1) > most
    within = (found.low[0] <= tau) & (tau <= found.high[0])
    assert inside[within].all()
    assert found.islands[0] or not inside[~within].any()


def test_one_that_changes_sign_once_makes_no_island_by_rounding():
    rng = np.random.default_rng(3)
    root = 10.0 ** rng.uniform(-2, 4, 2000)
    # (1 - tau/r) times a square that comes near zero: many evaluations near r are mere rounding.
    a = 1.0 / root * (1.0 + 1e-3 * rng.standard_normal(2000))
    square = np.array([1.0 + 1e-8 * rng.random(2000), -2.0 * a, a * a])
    cubic = np.zeros((5, 2000))
    cubic[:3] += square
    cubic[1:4] -= square / root
    found = confidence_set(cubic[..., None], 0)
    assert not found.islands.any() and np.isneginf(found.low).all()
    np.testing.assert_allclose(found.high, root, rtol=1e-5)


def test_a_point_that_ties_alone_keep_is_an_island():
    """One draw leaves at 3 where the other comes: there both tie, which has a width of 1e-9."""
    leaves, comes = [3.0 + 3e-9, -1.0, 0.0, 0.0, 0.0], [0.0, -3.0, 1.0, 0.0, 0.0]
    found = confidence_set(np.array([leaves, comes]).T[:, None, :], 1)
    assert (found.low[0], found.high[0], found.islands[0]) == (-np.inf, 0.0, True)


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=5))
@few
def test_datasets_searched_together_have_the_bits_of_each_alone(seeds):
    polynomials = [
        np.stack([draws(np.random.default_rng(seed + k), 60) for k in range(3)], axis=1)
        for seed in seeds
    ]
    together = confidence_sets([Search.begin(one, 3) for one in polynomials], 3)
    alone = [confidence_set(one, 3) for one in polynomials]
    for found, *parts in zip(together, *alone, strict=True):
        assert np.array_equal(found, np.concatenate(parts))


def test_limits_by_hand():
    def one(*rows: list[float]) -> tuple[float, float, bool]:
        found = confidence_set(np.array(rows).T[:, None, :], 0)
        return found.low[0], found.high[0], bool(found.islands[0])

    assert one([4.0, 0.0, -1.0, 0.0, 0.0]) == (-2.0, 2.0, False)
    assert one([0.0, 0.0, 1.0, 0.0, -0.0625]) == (-4.0, 4.0, False)
    # (1 - x)(x + 1)(x - 3)(x - 5): another piece between 3 and 5.
    low, high, islands = one([15.0, -8.0, -14.0, 8.0, -1.0])
    assert (low, high, islands) == (pytest.approx(-1.0), pytest.approx(1.0), True)
    # (1 + x)(1 + x/8): not rejected from -1 on, and again below -8.
    low, high, islands = one([1.0, 1.125, 0.125, 0.0, 0.0])
    assert (low, high, islands) == (pytest.approx(-1.0), np.inf, True)
    # Beside it (x + 1/2)(6 - x), which closes the gap.
    low, high, islands = one([15.0, -8.0, -14.0, 8.0, -1.0], [3.0, 5.5, -1.0, 0.0, 0.0])
    assert (low, high, islands) == (pytest.approx(-1.0), pytest.approx(6.0), False)
    assert one([0.0, 0.0, 0.0, 0.0, 0.0]) == (-np.inf, np.inf, False)
    # Rejected everywhere but at zero itself.
    assert one([0.0, 0.0, -1.0, 0.0, 0.0]) == (0.0, 0.0, False)
    assert one([HALF, -1.0, 0.0, 0.0, 0.0]) == (-np.inf, HALF, False)

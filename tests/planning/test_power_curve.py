import numpy as np
import pytest

from clustrategy.planning.curve import Point, fit_curve
from clustrategy.planning.described import Described
from tests.planning.closed_forms import needed, power

BETWEEN = Described(12, 0.0, "between", 0.5, 0.1**0.5, 0.0, 0.9**0.5)
WITHIN = Described(10, 0.0, "within", 0.5, 0.5, 0.4, 1.0)


@pytest.mark.parametrize(
    ("described", "effect", "lost"),
    [(BETWEEN, 0.3, 2), (BETWEEN, 0.6, 2), (BETWEEN, 1.2, 2), (WITHIN, 0.4, 1), (WITHIN, 0.9, 1)],
)
def test_the_curve_through_exact_powers_has_the_exact_number_of_clusters(described, effect, lost):
    exact = needed(described, effect)
    places = np.unique(np.round(exact * np.array([0.6, 0.8, 1.0, 1.25, 1.6])).astype(int))
    places = places[places > 2 + lost]
    points = [Point(int(G), power(described, int(G), effect), 1e8) for G in places]
    curve = fit_curve(points, lost, 0.05, near=exact)
    found = curve.needed(0.8)
    # Odd numbers of clusters have one more in an arm, so that the closed form is no smooth curve.
    assert abs(found.value - exact) < 1.2
    assert found.low <= found.value <= found.high


def test_the_interval_contains_the_exact_number_in_nineteen_of_twenty_searches():
    rng = np.random.default_rng(5)
    places, trials = [20, 30, 44, 50, 60], np.array([400, 400, 400, 2000, 400])
    exact = np.array([power(WITHIN, G, 0.25) for G in places])
    truth = next(
        G
        for G in np.arange(30, 80, 0.01)
        if power(WITHIN, G, 0.25) >= 0.8  # type: ignore[arg-type]
    )
    inside = 0
    for _ in range(100):
        shares = rng.binomial(trials, exact) / trials
        points = [Point(G, p, n) for G, p, n in zip(places, shares, trials, strict=True)]
        _, low, high = fit_curve(points, 1, 0.05).needed(0.8)
        inside += low <= truth <= high
    assert 90 <= inside <= 99


def test_powers_of_0_and_1_and_powers_that_fall():
    steep = fit_curve([Point(10, 0.0, 100), Point(20, 1.0, 100)], 2, 0.05)
    assert 10 < steep.needed(0.8).value < 20
    falling = fit_curve([Point(10, 0.6, 100), Point(20, 0.3, 100)], 2, 0.05)
    assert (np.diff(falling.power(np.array([5.0, 10.0, 20.0, 90.0]))[0]) > 0).all()
    assert falling.coefficients[0] == 0
    assert fit_curve([Point(10, 0.6, 100)], 2, 0.05) is None
    assert fit_curve([Point(2, 0.6, 100), Point(10, 0.6, 0)], 2, 0.05) is None


def test_points_far_from_the_answer_do_not_tell():
    near = [Point(40, 0.7, 1000), Point(50, 0.8, 1000), Point(60, 0.87, 1000)]
    alone = fit_curve(near, 2, 0.05).needed(0.8)
    beside = fit_curve([Point(5, 0.9, 1000), *near], 2, 0.05, near=50).needed(0.8)
    assert beside == alone


def test_the_band_is_the_interval_of_the_power():
    curve = fit_curve([Point(20, 0.5, 400), Point(40, 0.8, 400)], 2, 0.05)
    middle, low, high = curve.power(np.array([20.0, 40.0]))
    assert np.abs(middle - [0.5, 0.8]).max() < 0.005
    # Two points and two coefficients: the band is that of each point by itself.
    half = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert abs((high - low)[1] / 2 - half) < 0.004

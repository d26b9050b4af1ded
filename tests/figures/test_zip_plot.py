"""The intervals of one cell."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from statsmodels.stats.proportion import proportion_confint

from clustrategy.figures.zip_plot import COVERING, hardest
from tests.figures.drawn import figure_of, said, text_of
from tests.figures.tables import STRATEGIES, STUDY, make_estimates, make_performance


def zip_of(estimates, **changes):
    figure = figure_of("zip_plot", make_performance(estimates), estimates, **changes)
    return dict(zip(STRATEGIES, figure.axes, strict=True)), figure


def test_the_zip_plot_is_of_the_cell_and_slope_with_the_lowest_coverage():
    estimates = make_estimates()
    here = (estimates["clusters"] == 30) & (estimates["obs_per_cluster"] == 5)
    here &= (estimates["between_cluster_sigma"] == 0.5) & (estimates["term"] == "IV2")
    estimates.loc[here, "conf_low"] = 5.0
    estimates.loc[here, "conf_high"] = 6.0
    place = hardest(make_performance(estimates), STUDY)
    assert place == {
        "clusters": 30,
        "obs_per_cluster": 5,
        "between_cluster_sigma": 0.5,
        "term": "IV2",
        "true_value": 0.3,
    }
    _, figure = zip_of(estimates)
    text = text_of(figure)
    assert "30 clusters, 5 observations per cluster, between-cluster sigma 0.5; IV2" in text
    assert "slope of IV2, whose true value is 0.3" in text


def test_the_zip_plot_leaves_slopes_that_a_strategy_does_not_estimate_to_the_last():
    estimates = make_estimates()
    lost = (estimates["strategy"] == "two_stage") & (estimates["term"] == "IV3")
    estimates.loc[lost, "estimate":"conf_high"] = np.nan
    estimates.loc[(estimates["term"] == "IV3") & ~lost, "conf_low"] = 9.0
    performance = make_performance(estimates)
    assert hardest(performance, STUDY)["term"] != "IV3"
    assert hardest(performance[performance["term"] == "IV3"], STUDY)["term"] == "IV3"


def test_the_zip_plot_colours_the_intervals_that_miss_and_says_the_coverage():
    estimates = make_estimates()
    panels, _ = zip_of(estimates)
    place = hardest(make_performance(estimates), STUDY)
    truth = place.pop("true_value")
    for name, level in place.items():
        estimates = estimates[estimates[name] == level]
    for strategy, axes in panels.items():
        mine = estimates[(estimates["strategy"] == strategy) & estimates["estimate"].notna()]
        held = (mine["conf_low"] <= truth) & (truth <= mine["conf_high"])
        low, high = proportion_confint(held.sum(), len(held), method="wilson")
        words = f"{100 * held.mean():.0f} % ({100 * low:.0f} to {100 * high:.0f})"
        assert said(axes) == [words]
        (lines,) = (one for one in axes.collections if isinstance(one, LineCollection))
        seen = lines.get_segments()
        off = ((mine["estimate"] - truth).abs() / mine["std_error"]).to_numpy()
        order = np.argsort(off)[-len(seen) :]
        ends = {(line[0, 0], line[1, 0]): line[0, 1] for line in seen}
        expected = mine[["conf_low", "conf_high"]].to_numpy()[order]
        drawn = [ends[tuple(pair)] for pair in expected]
        assert drawn == sorted(drawn) and drawn[-1] == pytest.approx(100 * (1 - 0.5 / len(mine)))
        colours = dict(zip(ends, lines.get_colors(), strict=True))
        grey = [to_rgb(colours[tuple(pair)]) == to_rgb(COVERING) for pair in expected]
        assert grey == held.to_numpy()[order].tolist()


def test_the_zip_plot_draws_intervals_without_an_end():
    estimates = make_estimates()
    endless = estimates["strategy"] == STRATEGIES[0]
    estimates.loc[endless, "conf_low"] = -np.inf
    estimates.loc[endless, "conf_high"] = np.inf
    panels, _ = zip_of(estimates)
    for axes in panels.values():
        (lines,) = (one for one in axes.collections if isinstance(one, LineCollection))
        segments = np.array(lines.get_segments())
        assert segments.size and np.isfinite(segments).all()
    low, high = panels[STRATEGIES[0]].get_xlim()
    (lines,) = (one for one in panels[STRATEGIES[0]].collections if isinstance(one, LineCollection))
    for (start, _), (end, _) in lines.get_segments():
        assert start < low and end > high

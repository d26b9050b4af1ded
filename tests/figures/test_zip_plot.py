"""The intervals of one cell."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import PathPatch
from statsmodels.stats.proportion import proportion_confint

from clustrategy.figures.parts.frame import words_on
from clustrategy.figures.zip_plot import COVERING, hardest
from tests.figures.drawn import figure_of, said, text_of
from tests.figures.tables import STRATEGIES, STUDY, make_estimates, make_performance


def strokes_of(axes):
    """The intervals of a panel, a path for each colour."""
    return [one for one in axes.get_children() if isinstance(one, PathPatch)]


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
        off = ((mine["estimate"] - truth).abs() / mine["std_error"]).to_numpy()
        drawn = {
            (line[0, 0], line[1, 0]): (line[0, 1], to_rgb(patch.get_edgecolor()))
            for patch in strokes_of(axes)
            for line in patch.get_path().vertices.reshape(-1, 2, 2)
        }
        order = np.argsort(off)[-len(drawn) :]
        expected = mine[["conf_low", "conf_high"]].to_numpy()[order]
        ranks = [drawn[tuple(pair)][0] for pair in expected]
        assert ranks == sorted(ranks) and ranks[-1] == pytest.approx(100 * (1 - 0.5 / len(mine)))
        grey = [drawn[tuple(pair)][1] == to_rgb(COVERING) for pair in expected]
        assert grey == held.to_numpy()[order].tolist()


def test_the_zip_plot_draws_intervals_without_an_end():
    estimates = make_estimates()
    endless = estimates["strategy"] == STRATEGIES[0]
    estimates.loc[endless, "conf_low"] = -np.inf
    estimates.loc[endless, "conf_high"] = np.inf
    panels, _ = zip_of(estimates)
    for axes in panels.values():
        ends = [patch.get_path().vertices for patch in strokes_of(axes)]
        assert len(ends) and np.isfinite(np.concatenate(ends)).all()
    low, high = panels[STRATEGIES[0]].get_xlim()
    for patch in strokes_of(panels[STRATEGIES[0]]):
        for (start, _), (end, _) in patch.get_path().vertices.reshape(-1, 2, 2):
            assert start < low and end > high


def test_the_title_names_the_coverages_of_the_cell():
    """Of 12 intervals in each cell cluster_robust's hold 12, two_stage's 6, mixed_maximal's 11."""
    estimates = make_estimates()
    estimates["conf_low"], estimates["conf_high"] = -9.0, 9.0
    missing = (estimates["strategy"] == "two_stage") & (estimates["sim"] < 6)
    estimates.loc[missing, "conf_low"] = 8.0
    _, figure = zip_of(estimates)
    assert words_on(figure).title == (
        "In the hardest cell the true slope is in 50 % of the intervals of two-stage, in 100 % of "
        "cluster-robust OLS"
    )

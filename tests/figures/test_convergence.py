"""How fits ended."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from clustrategy.core.fits import STATUSES
from clustrategy.figures.convergence import OUTCOMES
from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import figure_of, panel_axes, said, shared_figure
from tests.figures.tables import SIMS, make_fits


def bars_of(axes):
    """The parts of bars; the bands behind the levels are rectangles too, but in no container."""
    return [
        bar
        for container in axes.containers
        if hasattr(container, "patches")
        for bar in container.patches
    ]


def test_convergence_bars_stack_up_to_the_share_of_failures():
    for axes, part in panel_axes(shared_figure("convergence"), make_fits()):
        failures = (part["status"] != "ok").sum()
        assert sum(bar.get_height() for bar in bars_of(axes)) == pytest.approx(failures / SIMS)
        highest = max(bar.get_y() + bar.get_height() for bar in bars_of(axes))
        assert highest == pytest.approx(4 / SIMS)
        (whiskers,) = [one.lines[2][0] for one in axes.containers if not hasattr(one, "patches")]
        ends = [line[:, 1] for line in whiskers.get_segments()]
        expected = proportion_confint(4, SIMS, method="wilson")
        assert np.array(ends) == pytest.approx(np.tile(expected, (3, 1)))


def test_only_what_occurs_has_bars_and_entries():
    figure = shared_figure("convergence")
    entries = [[text.get_text() for text in one.get_texts()] for one in figure.legends]
    assert entries == [["mixed, maximal"], ["singular", "optimiser warning", "error"]]
    assert words_on(figure).subtitle.endswith("; never with cluster-robust OLS and two-stage")
    fits = make_fits()
    fits["status"] = fits["status"].where(fits["status"].isin(["ok", "singular"]), "ok")
    figure = figure_of("convergence", fits)
    assert len(figure.legends) == 1


def test_the_title_counts_what_went_wrong_and_names_the_worst():
    fits = make_fits()
    lost = (fits["clusters"] == 30) & (fits["obs_per_cluster"] == 5)
    lost &= (fits["between_cluster_sigma"] == 1) & (fits["strategy"] == "two_stage")
    fits.loc[lost, "status"] = "undefined"
    # Of the maximal model's 12 fits a cell 2 are singular and 2 without numbers; two-stage lost 12
    # of its 144.
    assert words_on(figure_of("convergence", fits)).title == (
        "17 % of the fits by “mixed, maximal” are singular (up to 16.7 % with 10 clusters, 5 "
        "obs., σ 0.1); 17 % of the fits by “mixed, maximal” are unusable (up to 16.7 % with 10 "
        "clusters, 5 obs., σ 0.1), 8.3 % of those by two-stage"
    )
    fits.loc[fits["strategy"] == "mixed_maximal", "status"] = "ok"
    assert words_on(figure_of("convergence", fits)).title == (
        "8.3 % of the fits by two-stage are unusable (all of them with 30 clusters, 5 obs., σ 1)"
    )


def test_fits_that_are_all_in_order_have_no_bars():
    figure = figure_of("convergence", make_fits().assign(status="ok"))
    assert words_on(figure).title == "None of the 432 fits is singular or unusable"
    assert said(figure.axes[0]) == ["no values"]


def test_every_status_has_its_part_of_a_bar():
    assert {"ok", *OUTCOMES} == set(STATUSES)

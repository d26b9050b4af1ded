"""How fits ended, with the band of those by lme4."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from statsmodels.stats.proportion import proportion_confint

from clustrategy.core.fits import STATUSES
from clustrategy.figures.convergence import OUTCOMES, convergence
from tests.figures.drawn import OPTIONS, drawn_lines, panel_axes, text_of
from tests.figures.tables import (
    SIMS,
    STRATEGIES,
    STUDY,
    audit_with_every_outcome,
    make_audit,
    make_fits,
)


def convergence_of(fits: pd.DataFrame, audit: pd.DataFrame | None = None) -> Figure:
    """Draw fits, without an audit if there is none."""
    return convergence(fits, audit, factors=STUDY, strategies=STRATEGIES, options=OPTIONS)


def band_of(audit: pd.DataFrame | None) -> tuple[list[Axes], Figure]:
    """Return the panels of the band, and the figure."""
    figure = convergence_of(make_fits(), audit)
    return figure.axes[4:], figure


def test_convergence_bars_stack_up_to_the_share_of_failures():
    table = make_fits()
    figure = convergence_of(table)
    for axes, part in panel_axes(figure, table):
        # The bands behind the levels are rectangles too, but in no container.
        bars = [
            bar
            for container in axes.containers
            if hasattr(container, "patches")
            for bar in container.patches
        ]
        assert all(isinstance(bar, Rectangle) for bar in bars)
        failures = (part["status"] != "ok").sum()
        assert sum(bar.get_height() for bar in bars) == pytest.approx(failures / SIMS)
        highest = max(bar.get_y() + bar.get_height() for bar in bars)
        assert highest == pytest.approx(4 / SIMS)


def test_convergence_of_fits_that_all_succeed_is_intervals_without_bars():
    figure = convergence_of(make_fits().assign(status="ok"))
    for axes in figure.axes:
        assert [type(one) for one in axes.containers] == [ErrorbarContainer]
        highest = [line[:, 1].max() for line in drawn_lines(axes, 2)]
        assert highest == pytest.approx([proportion_confint(0, SIMS, method="wilson")[1]] * 9)


def test_the_band_has_a_bar_part_for_each_outcome_at_its_share_of_lme4s_fits():
    (axes,), figure = band_of(audit_with_every_outcome())
    parts = [
        (bar.get_y(), bar.get_height())
        for container in axes.containers
        if hasattr(container, "patches")
        for bar in container.patches
    ]
    # From below: singular 2, warned 2, stopped short 1, no fit 1, of 8; other sigmas have none.
    assert sorted(parts) == [(0, 0.25), (0.25, 0.25), (0.5, 0.125), (0.625, 0.125)]
    assert axes.get_title().replace("\n", " ") == "lme4: mixed, maximal, n = 8 per sigma"
    assert "24 audited fits by lme4" in text_of(figure)
    assert "stopped short (1)" in text_of(figure)


def test_the_band_marks_what_both_rules_of_lme4_call_failed():
    (axes,), _ = band_of(audit_with_every_outcome())
    marks = [line for line in axes.lines if line.get_marker() in ("o", "D")]
    newer, older = (line.get_ydata() for line in marks)
    # Since 1.1-19: 2 singular, 1 stuck, 2 warned, 1 error. Before: not the boundary alone.
    assert newer == pytest.approx([6 / 8, 0, 0])
    assert older == pytest.approx([5 / 8, 0, 0])
    intervals = [one for one in axes.containers if isinstance(one, ErrorbarContainer)]
    first = intervals[0].lines[2][0].get_segments()[0][:, 1]
    assert first == pytest.approx(proportion_confint(6, 8, method="wilson"))


def test_a_fit_is_singular_by_the_best_optimum_not_by_the_engine_that_missed_it():
    audit = make_audit()
    here = (audit["between_cluster_sigma"] == 1) & (audit["strategy"] == "mixed_maximal")
    audit.loc[here, "singular"] = True
    audit.loc[here, "reml_criterion"] += 0.5
    (axes,), _ = band_of(audit)
    assert not [one for one in axes.containers if hasattr(one, "patches")]
    audit.loc[here, "reml_criterion"] -= 0.5
    (axes,), _ = band_of(audit)
    (bars,) = [one for one in axes.containers if hasattr(one, "patches")]
    assert [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in bars] == [
        (pytest.approx(2 - 0.15), 1)
    ]


def test_convergence_without_fits_by_lme4_says_so_and_without_an_audit_does_not():
    audit = make_audit()
    band, figure = band_of(audit[audit["reference"] == "statsmodels"])
    assert band == [] and "The audit has no fits by lme4." in text_of(figure)
    band, figure = band_of(None)
    assert band == [] and "lme4" not in text_of(figure)


def test_an_audit_without_rows_has_no_band():
    assert band_of(make_audit().iloc[:0])[0] == []


def test_every_status_has_its_part_of_a_bar():
    assert {"ok", *OUTCOMES} == set(STATUSES)

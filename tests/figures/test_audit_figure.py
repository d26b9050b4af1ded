"""The audit as a figure."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from clustrategy.audit.verdicts import FAULTS, REASONS
from clustrategy.figures.parts.audited_fits import (
    ENGINE_AT_FAULT,
    FAILED,
    REFERENCE_AT_FAULT,
    outcomes,
)
from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import figure_of, text_of
from tests.figures.tables import STUDY, audit_with_every_outcome, lme4_fits, make_audit


def points(axes, marker_is_open: bool) -> list[float]:
    """Heights of the marks in colour or of those set apart."""
    return [
        y
        for one in axes.collections
        if isinstance(one, PathCollection) and (len(one.get_facecolor()) == 0) == marker_is_open
        for y in one.get_offsets()[:, 1]
    ]


def test_the_audit_draws_the_largest_difference_of_each_fits_coefficients():
    audit = make_audit()
    here = (audit["reference"] == "lme4") & (audit["term"] == "IV1")
    rows = audit[here].index
    audit.loc[rows, "estimate"] = audit.loc[rows, "reference_estimate"] + 1e-3
    unit = audit.loc[rows, ["estimate", "std_error"]].max(axis=1)
    expected = (1e-3 / unit).tolist()
    panel = next(
        axes for axes in figure_of("audit", audit).axes if "estimate" in axes.get_title("left")
    )
    drawn = points(panel, marker_is_open=False)
    assert len(drawn) == audit.drop_duplicates([*STUDY, "sim", "strategy", "reference"]).shape[0]
    assert sorted(drawn)[-len(expected) :] == pytest.approx(sorted(expected), rel=1e-9)


def test_the_audit_shows_zeros_and_equal_infinities_at_the_floor():
    audit = make_audit()
    audit[["df", "reference_df"]] = np.inf
    panel = next(
        axes for axes in figure_of("audit", audit).axes if "freedom" in axes.get_title("left")
    )
    lowest = panel.get_yticks()[0]
    assert set(points(panel, marker_is_open=False)) == {lowest}
    assert panel.yaxis.get_major_formatter()(lowest) == "0"


def test_the_audit_sets_apart_and_counts_what_the_reference_did():
    audit = audit_with_every_outcome()
    odd_df = lme4_fits(audit, (30, 25, 1, 0))
    audit.loc[odd_df, "verdict"] = "reference_df"
    audit.loc[odd_df, "reference_df"] *= 2
    figure = figure_of("audit", audit)
    open_marks = {
        axes.get_title("left").partition(":")[0]: points(axes, marker_is_open=True)
        for axes in figure.axes[:-1]
    }
    assert {name: len(marks) for name, marks in open_marks.items()} == {
        "REML criterion above the least of all engines": 2,
        "estimate": 2,
        "standard error": 2,
        "degrees of freedom": 3,
        "p value": 3,
    }
    criteria = open_marks["REML criterion above the least of all engines"]
    assert sorted(criteria) == pytest.approx([1e-5, 1.0])
    labels = [text.get_text() for text in figure.legends[1].get_texts()]
    assert labels[-1] == "reference off: 3"
    assert words_on(figure).title == (
        "No fault of ours in 96 comparisons; lme4 missed the optimum in 1, stopped within its "
        "tolerance of it in 1 and had other, numerical degrees of freedom in 1"
    )
    text = text_of(figure)
    assert "stopped short of the optimum 1, within its tolerance of it 1" in text
    assert "numerical df 1" in text and "No numbers from: reference 1." in text


def test_the_audit_names_the_references_that_are_off():
    audit = make_audit()
    audit.loc[lme4_fits(audit, (10, 5, 0.1, 0)), ["reference", "verdict"]] = [
        "glmm",
        "reference_short",
    ]
    audit.loc[lme4_fits(audit, (10, 5, 0.1, 1)), "verdict"] = "reference_slack"
    figure = figure_of("audit", audit)
    assert words_on(figure).title == (
        "No fault of ours in 96 comparisons; glmm missed the optimum in 1; lme4 stopped within its "
        "tolerance of the optimum in 1"
    )


@pytest.mark.parametrize("verdict", ["engine_short", "differ"])
def test_the_audit_crosses_out_what_the_engine_did(verdict):
    audit = make_audit()
    audit.loc[lme4_fits(audit, (10, 5, 0.1, 0)), "verdict"] = verdict
    figure = figure_of("audit", audit)
    assert figure.legends[1].get_texts()[-1].get_text() == "engine off: 1"
    for axes in figure.axes[:-1]:
        crosses = axes.collections[-1]
        assert len(crosses.get_offsets()) == 1


def test_the_audit_of_least_squares_alone_has_no_criterion_and_one_bound():
    audit = make_audit()
    figure = figure_of("audit", audit[audit["reference"] == "statsmodels"])
    assert len(figure.axes) == 4
    for axes in figure.axes:
        assert [line.get_ydata()[0] for line in axes.lines] == [1e-10]


def test_an_audit_without_rows_is_a_figure_that_says_so():
    empty = make_audit().iloc[:0]
    figure = figure_of("audit", empty, note="NOT AUDITED: R is not here.")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["no values"]
    assert words_on(figure).title == "No fit was compared with one by a reference engine"
    assert words_on(figure).caption == "NOT AUDITED: R is not here."


def test_an_audit_whose_fits_all_failed_counts_them():
    audit = make_audit()
    audit = audit[audit["reference"] == "statsmodels"].assign(verdict="both_failed")
    audit.loc[:, audit.select_dtypes("float").columns.difference(STUDY)] = np.nan
    figure = figure_of("audit", audit)
    assert words_on(figure).title == "None of the 48 comparisons has numbers of both engines"
    assert "No numbers from: both 48." in text_of(figure)


def bars(axes) -> list[tuple[float, float, float]]:
    """Middle, foot and height of the parts of bars, from left to right and from below."""
    return sorted(
        (bar.get_x() + bar.get_width() / 2, bar.get_y(), bar.get_height())
        for container in axes.containers
        if hasattr(container, "patches")
        for bar in container.patches
    )


def test_how_lme4s_fits_ended_is_a_bar_for_each_size():
    figure = figure_of("audit", audit_with_every_outcome())
    parts = bars(figure.axes[-1])
    # Of 6 fits of each size: singular 2; short and warned; warned and no fit; none.
    counts = [(round(6 * foot), round(6 * height)) for _, foot, height in parts]
    assert counts == [(0, 2), (0, 1), (1, 1), (0, 1), (1, 1)]
    places = [x for x, *_ in parts]
    assert places[1] == places[2] == places[0] + 1 and places[3] == places[4] == places[0] + 2
    assert [text.get_text() for text in figure.legends[2].get_texts()] == [
        "singular at the optimum",
        "warned at the optimum",
        "stopped short of it",
        "no fit",
    ]
    assert "lme4's 24 fits of the same datasets" in text_of(figure)


def test_a_fit_is_singular_by_the_best_optimum_not_by_the_engine_that_missed_it():
    audit = make_audit()
    here = (audit["between_cluster_sigma"] == 1) & (audit["strategy"] == "mixed_maximal")
    audit.loc[here, "singular"] = True
    audit.loc[here, "reml_criterion"] += 0.5
    assert set(outcomes(audit, STUDY)["outcome"]) == {"ok"}
    audit.loc[here, "reml_criterion"] -= 0.5
    found = outcomes(audit, STUDY).groupby("between_cluster_sigma")["outcome"].unique()
    assert {sigma: list(met) for sigma, met in found.items()} == {
        0.1: ["ok"],
        0.5: ["ok"],
        1.0: ["singular"],
    }


def test_every_verdict_but_agreement_is_counted_as_someones():
    assert set(ENGINE_AT_FAULT) == set(FAULTS)
    assert {*REFERENCE_AT_FAULT, *FAILED} - {*FAULTS} == set(REASONS)

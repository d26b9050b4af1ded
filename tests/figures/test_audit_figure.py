"""The audit as a figure."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from clustrategy.audit.verdicts import FAULTS, REASONS
from clustrategy.figures.parts.audit_differences import ENGINE_AT_FAULT, FAILED, REFERENCE_AT_FAULT
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
        for axes in figure.axes
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
    assert labels[-2:] == ["reference off: 3", "engine off: 0"]
    text = text_of(figure)
    assert "stopped short of the optimum 1, within lme4's tolerance of it 1" in text
    assert "numerical df 1" in text and "No numbers from: reference 1." in text


@pytest.mark.parametrize("verdict", ["engine_short", "differ"])
def test_the_audit_crosses_out_what_the_engine_did(verdict):
    audit = make_audit()
    audit.loc[lme4_fits(audit, (10, 5, 0.1, 0)), "verdict"] = verdict
    figure = figure_of("audit", audit)
    assert figure.legends[1].get_texts()[-1].get_text() == "engine off: 1"
    for axes in figure.axes:
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
    assert "0 comparisons" in text_of(figure) and "NOT AUDITED" in text_of(figure)


def test_an_audit_whose_fits_all_failed_counts_them():
    audit = make_audit()
    audit = audit[audit["reference"] == "statsmodels"].assign(verdict="both_failed")
    audit.loc[:, audit.select_dtypes("float").columns.difference(STUDY)] = np.nan
    figure = figure_of("audit", audit)
    assert len(figure.axes) == 1 and "No numbers from: both 48." in text_of(figure)


def test_every_verdict_but_agreement_is_counted_as_someones():
    assert set(ENGINE_AT_FAULT) == set(FAULTS)
    assert {*REFERENCE_AT_FAULT, *FAILED} - {*FAULTS} == set(REASONS)

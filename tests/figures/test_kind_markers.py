"""A marker for each kind of predictor."""

from __future__ import annotations

from tests.figures.drawn import figure_of, shared_figure
from tests.figures.tables import CLUSTER_LEVEL, WITHIN, make_performance


def test_legends_tell_kinds_apart_and_power_by_true_value():
    null, power = (shared_figure(name) for name in ("type_i_error", "power"))
    assert [text.get_text() for text in null.legends[0].get_texts()] == [WITHIN, CLUSTER_LEVEL]
    (only,) = power.legends[0].get_texts()
    assert only.get_text() == f"{WITHIN}, true value 0.3"


def test_a_kind_of_predictor_has_one_mark_in_all_figures():
    """IV1 has no true value that is not 0, IV2 and IV3 none that is."""
    truth = {"IV1": 0.0, "IV2": 0.3, "IV3": 0.5}
    table = make_performance()
    table["true_value"] = table["term"].map(truth)
    marks = {}
    for name in ("type_i_error", "power", "coverage", "lollipop"):
        for handle in figure_of(name, table).legends[0].legend_handles:
            kind = handle.get_label().split(", true value")[0]
            marks.setdefault(kind, set()).add(handle.get_marker())
    assert marks[WITHIN] == {"o"} and marks[CLUSTER_LEVEL] == {"D"}


def test_a_second_true_value_of_a_kind_has_a_mark_of_its_own():
    table = make_performance()
    table["true_value"] = table["term"].map({"IV1": 0.1, "IV2": 0.3, "IV3": 0.5})
    handles = figure_of("power", table).legends[0].legend_handles
    assert {handle.get_label(): handle.get_marker() for handle in handles} == {
        f"{WITHIN}, true value 0.1": "o",
        f"{WITHIN}, true value 0.3": "s",
        f"{CLUSTER_LEVEL}, true value 0.5": "D",
    }

"""Which factors have the rows and which the columns."""

from __future__ import annotations

from matplotlib.figure import Figure

from tests.figures.drawn import figure_of
from tests.figures.tables import DESIGN, STUDY, make_fits


def shape_of(figure: Figure) -> tuple[int, int]:
    """How many rows and columns of panels it has."""
    places = [axes.get_subplotspec() for axes in figure.axes]
    rows, columns = ({getattr(p, s).start for p in places} for s in ("rowspan", "colspan"))
    return len(rows), len(columns)


def test_a_further_factor_has_the_rows_and_the_sizes_the_columns():
    table = make_fits({**DESIGN, "residual_sigma": [0.5, 1.0, 2.0], "size_cv": [0.5]})
    figure = figure_of("convergence", table, factors=[*STUDY, "residual_sigma", "size_cv"])
    assert shape_of(figure) == (3, 4)
    names = [axes.texts[-1].get_text() for axes in figure.axes[::4]]
    assert names == ["residual sigma 0.5", "residual sigma 1", "residual sigma 2"]
    titles = [" ".join(axes.get_title().split()) for axes in figure.axes]
    assert titles[3] == "30 clusters 25 observations per cluster" and not any(titles[4:])


def test_many_sizes_and_further_factors_share_the_rows():
    table = make_fits({**DESIGN, "clusters": [5, 10, 30], "residual_sigma": [0.5, 1.0]})
    figure = figure_of("convergence", table, factors=[*STUDY, "residual_sigma"])
    assert shape_of(figure) == (6, 2)
    names = [axes.texts[-1].get_text() for axes in figure.axes[::2]]
    assert names[:2] == ["5 clusters, residual sigma 0.5", "5 clusters, residual sigma 1"]


def test_sizes_of_one_number_of_observations_stand_side_by_side():
    table = make_fits({**DESIGN, "clusters": [5, 10, 30], "obs_per_cluster": [5]})
    assert shape_of(figure_of("convergence", table)) == (1, 3)


BY_ICC = {"clusters": [10, 30], "obs_per_cluster": [5], "icc": [0.1, 0.3], "slope_sd": [0, 0.5]}


def test_the_slopes_sd_is_along_the_x_axis_and_the_icc_has_the_rows():
    figure = figure_of("convergence", make_fits(BY_ICC), factors=[*BY_ICC])
    assert shape_of(figure) == (2, 2)
    assert [axes.texts[-1].get_text() for axes in figure.axes[::2]] == ["ICC 0.1", "ICC 0.3"]
    assert [tick.get_text() for tick in figure.axes[-1].get_xticklabels()] == ["0", "0.5"]
    assert "slope SD" in {text.get_text() for text in figure.texts}


def test_a_study_whose_clusters_all_differ_alike_has_another_factor_along_the_x_axis():
    sizes = {"clusters": [10, 30], "obs_per_cluster": [5, 25]}
    for further, label in (({"size_cv": [0, 0.5]}, "CV of cluster sizes"), ({}, "observations")):
        figure = figure_of("convergence", make_fits(sizes | further), factors=[*sizes, *further])
        assert any(text.get_text().startswith(label) for text in figure.texts)
        ticks = [tick.get_text() for tick in figure.axes[-1].get_xticklabels()]
        assert ticks == (["0", "0.5"] if further else ["5", "25"])

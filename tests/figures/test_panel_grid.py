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

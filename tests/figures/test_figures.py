"""What the figures show is what the tables say."""

from __future__ import annotations

import itertools
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from statsmodels.stats.proportion import proportion_confint

from clustrategy.figures import FIGURES, draw
from clustrategy.figures.convergence import convergence
from clustrategy.figures.parts.intervals import median_interval, median_rank, wilson
from clustrategy.figures.parts.score_boxes import coefficient_recovery, standard_errors
from clustrategy.figures.parts.style import Look
from tests.figures.tables import (
    DESIGN,
    DGP,
    SIMS,
    STRATEGIES,
    STUDY,
    Given,
    grid_table,
    make_estimates,
    make_performance,
)

OPTIONS = {"width": 9, "dpi": 60, "palette": "colorblind", "scale": "log", "dgp": DGP}
METRICS = ["coef_abs_err", "se_sum", "t_sum"]


def make_scores(levels: dict = DESIGN) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    table = grid_table(levels)
    table[METRICS] = rng.lognormal(size=(len(table), 3))
    failed = (table["strategy"] == "mixed_maximal") & (table["sim"] == 0)
    table.loc[failed, METRICS] = np.nan
    return table.assign(fit_success=~failed)


def make_fits() -> pd.DataFrame:
    table = grid_table(DESIGN)
    kinds = {0: "singular", 1: "singular", 2: "not_converged", 3: "error"}
    status = table["sim"].map(kinds).fillna("ok")
    return table.assign(status=status.where(table["strategy"] == "mixed_maximal", "ok"))


def make_audit() -> pd.DataFrame:
    """Two sims a cell: mixed models with lme4 as it is and without bounds, least squares."""
    rng = np.random.default_rng(4)
    table = grid_table(DESIGN)
    table = table[table["sim"] < 2]
    references = {
        "cluster_robust": ["statsmodels"],
        "two_stage": ["statsmodels"],
        "mixed_maximal": ["lme4", "lme4_unbounded"],
    }
    table = table.assign(reference=table["strategy"].map(references)).explode("reference")
    table = table.assign(term=[["(Intercept)", "IV1"]] * len(table)).explode("term")
    table = table.reset_index(drop=True)
    for column in ("estimate", "std_error", "df", "p_value"):
        table[column] = rng.uniform(0.1, 0.9, len(table))
        table[f"reference_{column}"] = table[column] * (1 + 1e-9)
    mixed = table["reference"] != "statsmodels"
    criterion = np.where(mixed, 100.0, np.nan)
    for column in ("reml_criterion", "reference_reml_criterion", "best_reml_criterion"):
        table[column] = criterion
    for flag in ("singular", "optimizer_warning", "gradient_warning", "hessian_warning"):
        table[f"reference_{flag}"] = False
    return table.assign(singular=False, status="ok", reference_status="ok", verdict="agree")


def make_cluster_coefficients() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    cells = itertools.product([10], [25], [0.1, 1.0], range(2), range(10), ["(Intercept)", "IV1"])
    table = pd.DataFrame(cells, columns=[*STUDY, "sim", "cluster", "term"])
    deviation = table["between_cluster_sigma"] * rng.normal(size=len(table))
    return table.assign(true_value=0.5, coefficient=0.5 + deviation)


def make_dependence() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    person = np.repeat([1, 2, 3], 7)
    offset = np.tile(np.linspace(-0.8, 0.8, 7), 3)
    noise = 0.1 * rng.normal(size=21)
    parts = {
        "once": (np.arange(1, 22), rng.normal(size=21), rng.normal(size=21)),
        "repeated": (person, person + offset, 0.5 * offset + noise),
        "simpson": (person, 1.5 * person + offset, -2.0 * person + 0.7 * offset + noise),
    }
    return pd.concat(
        pd.DataFrame({"panel": name, "person": who, "x": x, "y": y})
        for name, (who, x, y) in parts.items()
    )


MAKERS = {
    "estimates": make_estimates,
    "performance": make_performance,
    "scores": make_scores,
    "fits": make_fits,
    "audit": make_audit,
    "cluster_coefficients": make_cluster_coefficients,
    "dependence": make_dependence,
}


def figure_of(name: str, table: pd.DataFrame | None = None, factors=STUDY, **options):
    drawing = FIGURES[name]
    tables = [MAKERS[read]() for read in drawing.tables] if table is None else [table]
    return drawing.function(
        *(
            Given(one) if read == "estimates" else one
            for one, read in zip(tables, drawing.tables, strict=False)
        ),
        factors=factors,
        strategies=STRATEGIES,
        options={**OPTIONS, **options},
    )


def panel_axes(figure, table: pd.DataFrame):
    """The panels with their part of the table, in the order in which they are read."""
    cells = table.groupby(["clusters", "obs_per_cluster"])
    return zip(figure.axes, (part for _, part in cells), strict=True)


def drawn_lines(axes, points: int) -> list[np.ndarray]:
    """The lines of so many points in the panel's collections."""
    collections = [one for one in axes.collections if isinstance(one, LineCollection)]
    lines = [line for one in collections for line in one.get_segments()]
    return [line for line in lines if len(line) == points]


def drawn_medians(axes) -> list[float]:
    """Heights of the lines across the boxes, from left to right."""
    lines = [line for line in drawn_lines(axes, 2) if line[0, 1] == line[1, 1]]
    return [line[0, 1] for line in sorted(lines, key=lambda line: line[:, 0].mean())]


def text_of(figure) -> str:
    return " ".join(" ".join(text.get_text() for text in figure.texts).split())


@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize(
    ("function", "column"), [(coefficient_recovery, "coef_abs_err"), (standard_errors, "se_sum")]
)
def test_drawn_medians_are_the_medians_of_the_fits_that_gave_a_value(function, column, scale):
    table = make_scores()
    options = {**OPTIONS, "scale": scale}
    figure = function(table, factors=STUDY, strategies=STRATEGIES, options=options)
    for axes, part in panel_axes(figure, table):
        expected = [
            np.nanmedian(
                part[(part["between_cluster_sigma"] == s) & (part["strategy"] == n)][column]
            )
            for s, n in itertools.product(DESIGN["between_cluster_sigma"], STRATEGIES)
        ]
        assert drawn_medians(axes) == pytest.approx(expected)
        assert axes.get_yscale() == scale


def test_caption_counts_sims_and_the_fits_without_a_value():
    text = text_of(figure_of("coefficient_recovery"))
    assert f"{SIMS} sims per cell" in text
    assert "12 of 432 fits gave no value and are not shown (mixed, maximal 12)" in text


def test_caption_counts_a_strategy_that_lost_every_fit():
    table = make_scores()
    table.loc[table["strategy"] == "two_stage", "coef_abs_err"] = np.nan
    assert "two-stage 144" in text_of(figure_of("coefficient_recovery", table))


def test_a_single_zero_leaves_the_scale_as_it_was_asked_for():
    table = make_scores()
    table.loc[1, "se_sum"] = 0.0
    assert figure_of("standard_errors", table).axes[0].get_yscale() != "linear"


def test_the_title_of_the_y_axis_keeps_clear_of_legend_and_caption():
    table = make_scores({**DESIGN, "clusters": [10], "obs_per_cluster": [5, 25, 100]})
    figure = figure_of("t_statistics", table)
    renderer = figure.canvas.get_renderer()
    ylabel = next(text for text in figure.texts if text.get_rotation() == 90)
    box = ylabel.get_window_extent(renderer)
    caption = max((t for t in figure.texts if t is not ylabel), key=lambda t: len(t.get_text()))
    for other in (figure.legends[0], caption):
        assert not box.overlaps(other.get_window_extent(renderer))


def test_a_panel_without_values_says_so():
    table = make_scores()
    table.loc[(table["clusters"] == 10) & (table["obs_per_cluster"] == 5), "se_sum"] = np.nan
    first, *others = figure_of("standard_errors", table).axes
    assert [text.get_text() for text in first.texts].count("no values") == 1
    assert all("no values" not in [text.get_text() for text in axes.texts] for axes in others)


def shape_of(figure: Figure) -> tuple[int, int]:
    """How many rows and columns of panels it has."""
    places = [axes.get_subplotspec() for axes in figure.axes]
    rows, columns = ({getattr(p, s).start for p in places} for s in ("rowspan", "colspan"))
    return len(rows), len(columns)


def test_a_further_factor_has_the_rows_and_the_sizes_the_columns():
    table = make_scores({**DESIGN, "residual_sigma": [0.5, 1.0, 2.0], "size_cv": [0.5]})
    figure = figure_of("t_statistics", table, factors=[*STUDY, "residual_sigma", "size_cv"])
    assert shape_of(figure) == (3, 4)
    names = [axes.texts[-1].get_text() for axes in figure.axes[::4]]
    assert names == ["residual sigma 0.5", "residual sigma 1", "residual sigma 2"]
    titles = [" ".join(axes.get_title().split()) for axes in figure.axes]
    assert titles[3] == "30 clusters 25 observations per cluster" and not any(titles[4:])


def test_many_sizes_and_further_factors_share_the_rows():
    table = make_scores({**DESIGN, "clusters": [5, 10, 30], "residual_sigma": [0.5, 1.0]})
    figure = figure_of("t_statistics", table, factors=[*STUDY, "residual_sigma"])
    assert shape_of(figure) == (6, 2)
    names = [axes.texts[-1].get_text() for axes in figure.axes[::2]]
    assert names[:2] == ["5 clusters, residual sigma 0.5", "5 clusters, residual sigma 1"]


def test_sizes_of_one_number_of_observations_stand_side_by_side():
    table = make_scores({**DESIGN, "clusters": [5, 10, 30], "obs_per_cluster": [5]})
    assert shape_of(figure_of("t_statistics", table)) == (1, 3)


def test_convergence_bars_stack_up_to_the_share_of_failures():
    table = make_fits()
    figure = figure_of("convergence", table)
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
    figure = figure_of("convergence", make_fits().assign(status="ok"))
    for axes in figure.axes:
        assert [type(one) for one in axes.containers] == [ErrorbarContainer]
        highest = [line[:, 1].max() for line in drawn_lines(axes, 2)]
        assert highest == pytest.approx([proportion_confint(0, SIMS, method="wilson")[1]] * 9)


@pytest.mark.parametrize("total", [1, 5, 50, 1000])
def test_wilson_intervals_are_those_of_statsmodels(total):
    count = np.arange(total + 1)
    ours = wilson(count, np.full(total + 1, total))
    theirs = proportion_confint(count, total, method="wilson")
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("n", [6, 7, 50, 51, 1000])
def test_median_interval_covers_95_percent_and_is_the_narrowest_that_does(n):
    from scipy.stats import binom

    rank = median_rank(n)
    assert 2 * binom.cdf(rank - 1, n, 0.5) <= 0.05 < 2 * binom.cdf(rank, n, 0.5)
    values = np.random.default_rng(n).permutation(n).astype(float)
    assert median_interval(values) == (rank - 1, n - rank)


def test_too_few_values_have_no_median_interval():
    assert np.isnan(median_interval(np.arange(5.0))).all()


def legend_colours(figure) -> dict:
    return {
        text.get_text(): to_rgb(patch.get_facecolor())
        for text, patch in zip(
            figure.legends[0].get_texts(), figure.legends[0].get_patches(), strict=True
        )
    }


def test_a_strategy_has_the_same_colour_in_all_figures():
    names = ["coefficient_recovery", "standard_errors", "t_statistics", "convergence"]
    first, *others = (legend_colours(figure_of(name)) for name in names)
    assert list(first) == ["cluster-robust OLS", "two-stage", "mixed, maximal"]
    assert all(other == first for other in others)


def test_a_strategy_keeps_its_colour_when_none_of_its_fits_gave_a_value():
    table = make_scores()
    table.loc[table["strategy"] == "two_stage", "se_sum"] = np.nan
    whole, partly = figure_of("standard_errors"), figure_of("standard_errors", table)
    assert legend_colours(whole) == legend_colours(partly)
    box_colours = [
        {to_rgb(colour) for colour in figure.axes[0].collections[0].get_colors()}
        for figure in (partly, whole)
    ]
    assert box_colours[0] == box_colours[1] - {legend_colours(whole)["two-stage"]}
    assert box_colours[1] == set(legend_colours(whole).values())


def test_more_strategies_than_the_palette_has_colours_still_differ():
    assert len(set(Look().colours(14))) == 14


def test_text_is_at_least_8_points_on_the_printed_page():
    figure = figure_of("coefficient_recovery")
    texts = [*figure.texts, *figure.legends[0].get_texts(), *figure.axes[0].get_yticklabels()]
    assert min(text.get_size() for text in texts) * 6.5 / 9 >= 8 - 1e-9


def test_dependence_writes_slopes_of_opposite_sign_for_simpsons_paradox():
    table = make_dependence()
    part = table[table["panel"] == "simpson"]
    pooled = np.polyfit(part["x"], part["y"], 1)[0]
    within = [np.polyfit(mine["x"], mine["y"], 1)[0] for _, mine in part.groupby("person")]
    assert pooled < 0 < min(within)
    written = figure_of("dependence", table).axes[2].texts[0].get_text()
    assert written == f"all points {pooled:+.2f}\nwithin " + ", ".join(f"{s:+.2f}" for s in within)


@pytest.mark.parametrize("name", FIGURES)
def test_draw_writes_the_same_files_twice_and_without_a_warning(name, tmp_path, capfd):
    paths = []
    for read in FIGURES[name].tables:
        paths.append(tmp_path / f"{read}.{'csv' if read == 'dependence' else 'parquet'}")
        table = MAKERS[read]()
        table.to_csv(paths[-1], index=False) if read == "dependence" else table.to_parquet(
            paths[-1]
        )

    contents = []
    for folder in ("first", "second"):
        outputs = [tmp_path / folder / f"{name}.{suffix}" for suffix in ("png", "pdf")]
        outputs[0].parent.mkdir()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # Seaborn 0.13 still says `vert` to matplotlib, which hides this by default.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            draw(name, paths, outputs, factors=STUDY, strategies=STRATEGIES, options=OPTIONS)
        assert sorted(outputs[0].parent.iterdir()) == sorted(outputs)
        contents.append([output.read_bytes() for output in outputs])
    assert contents[0] == contents[1]
    assert contents[0][0].startswith(b"\x89PNG") and contents[0][1].startswith(b"%PDF")
    assert b"CreationDate" not in contents[0][1]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["coefficient_recovery", "coverage", "lollipop"])
def test_more_cells_than_a_picture_can_show_are_said(name, tmp_path):
    (read,) = FIGURES[name].tables
    table = MAKERS[read]()
    few = table[(table["clusters"] == table["clusters"].min()) & (table["strategy"] == "two_stage")]
    assert len(few)
    parts = [few.assign(residual_sigma=level) for level in range(1, 801)]
    path, output = tmp_path / f"{read}.parquet", tmp_path / f"{name}.png"
    pd.concat(parts).to_parquet(path)
    factors = [*STUDY, "residual_sigma"]
    draw(name, [path], [output], factors=factors, strategies=["two_stage"], options={})
    height = int.from_bytes(output.read_bytes()[20:24], "big")  # of a PNG file
    assert height < 400


def test_a_failed_draw_leaves_the_old_file_and_nothing_else(tmp_path):
    table, output = tmp_path / "fits.parquet", tmp_path / "convergence.png"
    make_fits().drop(columns="status").to_parquet(table)
    output.write_bytes(b"old")
    with pytest.raises(KeyError):
        draw("convergence", [table], [output], factors=STUDY, strategies=STRATEGIES, options={})
    assert output.read_bytes() == b"old"
    assert sorted(tmp_path.iterdir()) == sorted([table, output])


def test_names_are_read_without_importing_the_plotting_libraries():
    code = (
        "import sys, clustrategy.figures as f; assert len(f.FIGURES) == 16;"
        "print({'matplotlib', 'seaborn', 'pandas'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


@pytest.mark.parametrize("option", [{"scale": "cubic"}, {"palette": "nonsense"}])
def test_an_unknown_option_is_refused(option):
    with pytest.raises(ValueError):
        convergence(
            make_fits(), factors=STUDY, strategies=STRATEGIES, options={**OPTIONS, **option}
        )


def test_the_built_in_palette_is_seaborns():
    seaborn = pytest.importorskip("seaborn")
    assert Look().colours(10) == list(seaborn.color_palette("colorblind"))


@pytest.mark.parametrize("name", FIGURES)
def test_a_note_ends_the_caption_of_every_figure(name):
    note = "NOT AUDITED: R is not on this machine."
    captions = {text.get_text().replace("\n", " ") for text in figure_of(name, note=note).texts}
    assert sum(caption.endswith(f". {note}") for caption in captions) == 1
    assert "NOT AUDITED" not in text_of(figure_of(name))


def lme4_fits(table: pd.DataFrame, *sims: tuple) -> pd.Series:
    """Rows of fits by lme4, each given by clusters, obs_per_cluster, sigma and sim."""
    key = pd.MultiIndex.from_frame(table[[*STUDY, "sim"]])
    return key.isin(sims) & (table["reference"] == "lme4")


def audit_with_every_outcome() -> pd.DataFrame:
    """At sigma 0.1, of 8 fits by lme4: 2 singular, 1 short, 2 warned, 1 error, 2 in order."""
    table = make_audit()
    true_boundary, stuck, warned, failed, slack = (
        lme4_fits(table, *sims)
        for sims in (
            [(10, 5, 0.1, 0), (10, 5, 0.1, 1)],
            [(10, 25, 0.1, 0)],
            [(10, 25, 0.1, 1), (30, 5, 0.1, 0)],
            [(30, 5, 0.1, 1)],
            [(30, 25, 0.1, 0)],
        )
    )
    table.loc[true_boundary, ["singular", "reference_singular"]] = True
    # One of the two has a gradient warning too, which lme4 does not give where it is singular.
    table.loc[lme4_fits(table, (10, 5, 0.1, 1)), "reference_gradient_warning"] = True
    table.loc[stuck, ["reference_singular", "reference_hessian_warning"]] = True
    table.loc[stuck, "reference_reml_criterion"] += 1.0
    table.loc[stuck, "verdict"] = "reference_short"
    table.loc[true_boundary | stuck, "reference_status"] = "singular"
    table.loc[warned, "reference_gradient_warning"] = True
    table.loc[warned, "reference_status"] = "not_converged"
    table.loc[failed, "reference_status"] = "error"
    table.loc[failed, "verdict"] = "reference_failed"
    numbers = [
        name for name in table if name.startswith("reference_") and table[name].dtype == float
    ]
    table.loc[failed, numbers] = np.nan
    table.loc[slack, "reference_reml_criterion"] += 1e-5
    table.loc[slack, "verdict"] = "reference_slack"
    return table


def band_of(audit: pd.DataFrame):
    options = {"factors": STUDY, "strategies": STRATEGIES, "options": OPTIONS}
    figure = convergence(make_fits(), audit, **options)
    return figure.axes[4:], figure


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
    assert band_of(empty)[0] == []


def test_an_audit_whose_fits_all_failed_counts_them():
    audit = make_audit()
    audit = audit[audit["reference"] == "statsmodels"].assign(verdict="both_failed")
    audit.loc[:, audit.select_dtypes("float").columns.difference(STUDY)] = np.nan
    figure = figure_of("audit", audit)
    assert len(figure.axes) == 1 and "No numbers from: both 48." in text_of(figure)

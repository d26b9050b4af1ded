"""What the figures of inference show is what the performance table and the estimates say."""

from __future__ import annotations

import itertools
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import StepPatch
from matplotlib.path import Path
from statsmodels.distributions.empirical_distribution import ECDF
from statsmodels.stats.proportion import proportion_confint

from clustrategy.figures import FIGURES, lollipop, names
from clustrategy.figures.parts.files import Rows
from clustrategy.figures.parts.frame import strategy_inks
from clustrategy.figures.lollipop import MEASURES
from clustrategy.figures.p_value_ecdf import LEVELS, distributions
from clustrategy.figures.parts.performance import by_kind, null_band
from clustrategy.figures.parts.rates import scale_rates
from clustrategy.figures.parts.style import Look, new_figure
from clustrategy.figures.parts.predictor_kinds import kind
from clustrategy.figures.zip_plot import COVERING, hardest
from clustrategy.study.config import schema
from tests.figures.tables import (
    DESIGN,
    DGP,
    SIMS,
    STRATEGIES,
    STUDY,
    Given,
    make_estimates,
    make_performance,
    without_variance,
)

WITHIN, CLUSTER_LEVEL = "predictor within clusters", "cluster-level predictor"
ARM = "treatment of whole clusters"
NULL = pd.DataFrame({"term": ["IV1", "IV3"]})
INFERENCE = [name for name, drawing in FIGURES.items() if "performance" in drawing.tables]


def figure_of(name, performance=None, estimates=None, **changes):
    tables = {
        "performance": make_performance() if performance is None else performance,
        "estimates": Given(make_estimates() if estimates is None else estimates),
    }
    known = {"factors": STUDY, "strategies": STRATEGIES, "dgp": DGP, **changes}
    options = {"dpi": 60, "dgp": known.pop("dgp"), **known.pop("options", {})}
    drawing = FIGURES[name]
    return drawing.function(*(tables[read] for read in drawing.tables), options=options, **known)


def text_of(figure) -> str:
    return " ".join(" ".join(text.get_text() for text in figure.texts).split())


def said(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def heights(axes) -> list[float]:
    """Heights of the marks that are drawn where they are, in order of their size."""
    marks = [one for one in axes.collections if isinstance(one, PathCollection)]
    drawn = [one for one in marks if not is_arrow(one)]
    return sorted(y for one in drawn for y in one.get_offsets()[:, 1])


def arrows(axes) -> int:
    marks = [one for one in axes.collections if isinstance(one, PathCollection)]
    return sum(len(one.get_offsets()) for one in marks if is_arrow(one))


def is_arrow(marks: PathCollection) -> bool:
    (path,) = marks.get_paths()
    return len(path.vertices) == 4 and path.codes[-1] == Path.CLOSEPOLY


def is_cross(marks) -> bool:
    return isinstance(marks, PathCollection) and Path.CLOSEPOLY not in marks.get_paths()[0].codes


def set_values(table, measure, value, strategy="cluster_robust", **also):
    """The table with other values of a measure of a strategy."""
    here = (table["measure"] == measure) & (table["strategy"] == strategy)
    for name, level in also.items():
        here &= table[name] == level
    return table.assign(value=table["value"].mask(here, value))


@pytest.mark.parametrize(
    ("name", "measure", "terms"),
    [
        ("type_i_error", "rejection_rate", ["IV1", "IV3"]),
        ("power", "rejection_rate", ["IV2"]),
    ],
)
def test_each_row_has_the_rates_of_its_strategy(name, measure, terms):
    table = make_performance()
    figure = figure_of(name, table[table["measure"] != "size_adjusted_power"])
    rows = table[(table["measure"] == measure) & table["term"].isin(terms)]
    rows = rows[rows["handling"] == "case_wise"]
    for axes, strategy in zip(figure.axes, STRATEGIES, strict=True):
        mine = rows.loc[rows["strategy"] == strategy, "value"]
        seen = heights(axes)
        assert len(seen) + arrows(axes) == len(mine)
        assert seen == pytest.approx(sorted(mine)[: len(seen)])


def test_rates_have_wilson_intervals_of_the_replicates_that_were_used():
    table = make_performance()
    axes = figure_of("type_i_error", table).axes[2]
    rows = table[(table["measure"] == "rejection_rate") & (table["handling"] == "case_wise")]
    rows = rows[(rows["strategy"] == "mixed_maximal") & (rows["true_value"] == 0)]
    assert set(rows["n"]) == {SIMS - 1}
    count = (rows["value"] * rows["n"]).round()
    expected = np.transpose(proportion_confint(count, rows["n"], method="wilson"))
    bars = [
        line[:, 1]
        for one in axes.collections
        if isinstance(one, LineCollection)
        for line in one.get_segments()
        if len(line) == 2 and line[0, 0] == line[1, 0]
    ]
    shown = expected[rows["value"].to_numpy() <= axes.get_ylim()[1]]
    assert np.sort(bars, axis=0) == pytest.approx(np.sort(shown, axis=0))


def test_alike_slopes_are_a_mean_with_the_largest_error_that_it_can_have():
    table = make_performance()
    dgp = {**DGP, "predictor_icc": 0}
    values = by_kind(table, "bias", STUDY, dgp)
    assert set(values["kind"]) == {WITHIN} and set(values["terms"]) == {3}
    rows = table[(table["measure"] == "bias") & (table["handling"] == "case_wise")]
    mean = rows[rows["term"] != "(Intercept)"].groupby([*STUDY, "strategy"])[["value", "mcse"]]
    expected = mean.mean()
    ours = values.set_index([*STUDY, "strategy"])[["value", "mcse"]]
    pd.testing.assert_frame_equal(ours.sort_index(), expected.sort_index())
    assert "Of alike predictors marks are means" in text_of(figure_of("bias", table, dgp=dgp))
    assert "Of alike" not in text_of(figure_of("type_i_error", table))


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [
        ({}, [WITHIN] * 3),
        ({"predictor_icc": 1}, [CLUSTER_LEVEL] * 3),
        ({"predictor_icc": [0, 0.3, 1]}, [WITHIN, "predictor with ICC 0.3", CLUSTER_LEVEL]),
        ({"treatment": "between"}, [WITHIN, WITHIN, ARM]),
        ({"treatment": "within", "arms": 3}, [WITHIN] + 2 * ["treatment within clusters"]),
        ({"endogeneity": 0.4}, [f"{WITHIN}, endogenous", WITHIN, WITHIN]),
        ({"sigma_ratios": [1, 1, 1, 1]}, [WITHIN] * 3),
        ({"sigma_ratios": [1, 0, 1, 1], "predictor_icc": 1}, [CLUSTER_LEVEL] * 3),
        ({"predictor_icc": "0,1,0.3"}, [WITHIN, CLUSTER_LEVEL, "predictor with ICC 0.3"]),
        ({"predictor_icc": [1, 0], "treatment": "between"}, [CLUSTER_LEVEL, WITHIN, ARM]),
        (
            {"sigma_ratios": "1,1,0,0.5"},
            [f"{WITHIN}, slope's sigma × {ratio}" for ratio in ("1", "0", "0.5")],
        ),
    ],
)
def test_predictors_are_of_a_kind_if_they_differ_by_chance_alone(settings, kinds):
    unset = {
        "predictors": 3,
        "treatment": "none",
        "arms": 2,
        "predictor_icc": 0,
        "sigma_ratios": None,
        "endogeneity": 0,
    }
    assert [kind(f"IV{k}", {**unset, **settings}) for k in (1, 2, 3)] == kinds


def test_a_factor_decides_the_kind_cell_by_cell():
    table = pd.concat([make_performance().assign(treatment=t) for t in ("between", "none")])
    values = by_kind(table, "coverage", [*STUDY, "treatment"], {"predictors": 3})
    kinds = {t: set(rows["kind"]) for t, rows in values.groupby("treatment")}
    assert kinds == {"between": {WITHIN, ARM}, "none": {WITHIN}}


def test_legends_tell_kinds_apart_and_power_by_true_value():
    null, power = (figure_of(name) for name in ("type_i_error", "power"))
    assert [text.get_text() for text in null.legends[0].get_texts()] == [WITHIN, CLUSTER_LEVEL]
    (only,) = power.legends[0].get_texts()
    assert only.get_text() == f"{WITHIN}, true value 0.3"


def test_the_band_is_where_rates_of_a_test_that_keeps_its_level_are():
    assert null_band(1000, 0.05) == pytest.approx((0.0365, 0.0635), abs=1e-4)
    assert null_band(1000, 0.95) == pytest.approx((0.9365, 0.9635), abs=1e-4)
    assert null_band(4, 0.05)[0] == 0 and null_band(4, 0.95)[1] == 1


def test_values_beyond_the_axis_are_arrows_with_the_most_extreme_of_each_column():
    table = make_performance()
    table = table.assign(
        value=table["value"].mask(table["measure"] == "relative_error", 0.05), mcse=0.01
    )
    size = {"clusters": 10, "obs_per_cluster": 25}
    # IV1 and IV2 are of a kind: their mean is -0.75.
    table = set_values(table, "relative_error", -0.7, **size)
    table = set_values(table, "relative_error", -0.8, **size, term="IV1")
    table = set_values(table, "relative_error", 3.0, **size, between_cluster_sigma=0.1)
    first, *others = figure_of("relative_error", table).axes
    assert first.get_ylim()[1] < 0.2
    assert arrows(first) == 6 and {"−75%", "+300%"} < set(said(first))
    assert all(arrows(axes) == 0 for axes in others)


def test_bias_is_in_standard_errors_and_a_cross_is_the_median_without_a_variance():
    table = without_variance(make_performance())
    table = table[table["term"] == "IV3"]
    figure = figure_of("bias", table)
    rows = table[(table["handling"] == "case_wise") & (table["strategy"] == "two_stage")]
    few = rows[(rows["measure"] == "median_bias") & (rows["obs_per_cluster"] == 5)]
    many = rows[(rows["measure"] == "bias") & (rows["obs_per_cluster"] == 25)]
    axes = figure.axes[1]
    limit = max(axes.get_yticks())
    crosses = [one.get_offsets()[:, 1] for one in axes.collections if is_cross(one)]
    for drawn, part in ((np.concatenate(crosses), few), (heights(axes), pd.concat([few, many]))):
        expected = part["value"] / (part["mcse"] * np.sqrt(part["n"]))
        assert sorted(drawn) == pytest.approx(sorted(expected[expected.abs() <= limit]))
    assert len(few) == 6 and len(crosses[0]) >= 4
    assert "6 cells) have a cross" in text_of(figure)
    labels = [text.get_text() for text in figure.legends[1].get_texts()]
    assert labels == ["median bias (no finite variance)"]


def test_a_column_without_values_says_so():
    figure = figure_of("relative_error", without_variance(make_performance()))
    assert [said(axes).count("none") for axes in figure.axes] == [0, 2, 0]
    assert "6 cells) are left out" in text_of(figure)


@pytest.mark.parametrize("name", ["power", "p_value_ecdf", "nested_loop", "lollipop"])
def test_captions_count_the_fits_that_failed(name):
    text = text_of(figure_of(name))
    assert "12 of 432 fits are not usable and are left out (mixed, maximal 12)" in text
    whole = make_performance()
    whole.loc[whole["measure"] == "failure_rate", "value"] = 0
    assert "All fits are usable." in text_of(figure_of(name, whole))


@pytest.mark.parametrize("name", INFERENCE)
@pytest.mark.parametrize("what", ["no rows", "no values", "truth drawn anew"])
def test_a_figure_without_values_says_so_and_why(name, what):
    performance = make_performance()
    if what == "no rows":
        performance = performance.iloc[:0]
    elif what == "no values":
        performance["value"] = np.nan
    else:
        performance["true_value"] = np.nan
    estimates = make_estimates()
    figure = figure_of(name, performance, estimates.iloc[:0])
    shown_anyway = {"bias", "relative_error", "coverage", "nested_loop", "lollipop"}
    if what == "truth drawn anew" and name in shown_anyway:
        assert "no values" not in said(figure.axes[0])
    else:
        assert said(figure.axes[0]) == ["no values"]
        assert text_of(figure).count("No ") >= 1


VARIANTS = {
    "one strategy": ({}, {"strategies": STRATEGIES[:1]}),
    "one cell": ({name: [levels[0]] for name, levels in DESIGN.items()}, {}),
    "fifteen strategies": ({}, {"strategies": [*STRATEGIES, *(f"s{k}" for k in range(12))]}),
    "many sizes": ({"clusters": [*range(5, 12)], "between_cluster_sigma": [0]}, {}),
    "a factor of texts": ({}, {"factors": [*STUDY, "treatment"]}),
}


@cache
def tables_of(variant):
    levels, changes = VARIANTS[variant]
    more = {"treatment": ["between", "none"]} if "factors" in changes else {}
    estimates = make_estimates({**DESIGN, "clusters": [10], **levels}, **more)
    return estimates, make_performance(estimates), changes


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "name", ["coverage", "p_value_ecdf", "zip_plot", "nested_loop", "lollipop"]
)
def test_any_study_has_its_figures(name, variant):
    estimates, performance, changes = tables_of(variant)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = figure_of(name, performance, estimates, **changes)
        figure.draw_without_rendering()
    bounds = figure.bbox.padded(1)
    for text in [*figure.texts, *(t for axes in figure.axes for t in axes.texts)]:
        box = text.get_window_extent()
        assert bounds.x0 <= box.x0 and box.x1 <= bounds.x1, text.get_text()
        assert bounds.y0 <= box.y0 and box.y1 <= bounds.y1, text.get_text()


def test_names_of_sizes_and_strategies_do_not_overlap():
    figure = figure_of("type_i_error")
    texts = [
        text
        for axes in figure.axes
        for text in axes.texts
        if text.get_text() and not text.get_text()[0].isdigit()
    ]
    texts += [text for text in figure.axes[0].texts if text.get_text() in ("5", "25")]
    assert len(texts) == 1 + 3 + 4
    for one, other in itertools.combinations(texts, 2):
        assert not one.get_window_extent().overlaps(other.get_window_extent())


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("end", [0.2, 0.3, 0.5, 1.0])
def test_a_scale_of_rates_has_its_nominal_level_and_room_between_its_ticks(end, mirrored):
    axes = new_figure(Look(), 2).subplots()
    scale_rates(axes, end, 0.05, 0.5, 8, mirrored=mirrored)
    ticks = axes.get_yticks()
    assert (0.95 if mirrored else 0.05) in np.round(ticks, 9)
    places = axes.transAxes.inverted().transform(axes.transData.transform([(0, t) for t in ticks]))
    assert np.diff(places[:, 1]).min() * 0.5 * 72 >= 8
    assert places[:, 1].min() >= -1e-9 and places[:, 1].max() <= 1 + 1e-9


def test_distributions_of_p_values_are_those_of_statsmodels():
    estimates = make_estimates()
    found = distributions(Given(estimates), NULL, STUDY, DGP)
    terms = {WITHIN: "IV1", CLUSTER_LEVEL: "IV3"}
    assert len(found) == 2 * 2 * 3 * 2
    for _, row in found.iterrows():
        mine = estimates[
            (estimates["clusters"] == row["clusters"])
            & (estimates["obs_per_cluster"] == row["obs_per_cluster"])
            & (estimates["strategy"] == row["strategy"])
            & (estimates["term"] == terms[row["kind"]])
        ]["p_value"].dropna()
        assert row["n"] == len(mine) and row["terms"] == 1
        np.testing.assert_allclose(row["share"], ECDF(mine)(LEVELS), atol=1e-12)


def test_a_p_value_on_a_level_is_at_or_below_it():
    estimates = make_estimates().assign(p_value=float(LEVELS[25]))
    share = distributions(Given(estimates), NULL[:1], STUDY, DGP)["share"][0]
    assert share[24] == 0 and share[25] == 1


def test_p_values_of_alike_slopes_are_pooled_and_their_lines_drawn():
    estimates = make_estimates()
    dgp = {**DGP, "predictor_icc": 0}
    figure = figure_of("p_value_ecdf", estimates=estimates, dgp=dgp)
    found = distributions(Given(estimates), NULL, STUDY, dgp)
    assert set(found["terms"]) == {2} and found["n"].max() == 2 * 3 * SIMS
    assert len(figure.axes) == 4
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == len(LEVELS)]
    assert [line.get_color() for line in lines] == list(strategy_inks(STRATEGIES, Look()).values())
    first = found[(found["clusters"] == 10) & (found["obs_per_cluster"] == 5)]
    for line, strategy in zip(lines, STRATEGIES, strict=True):
        (share,) = first.loc[first["strategy"] == strategy, "share"]
        np.testing.assert_allclose(line.get_ydata() + LEVELS, share)


def test_figures_read_what_they_need_of_a_large_table(tmp_path):
    table = make_estimates()
    table.to_parquet(tmp_path / "estimates.parquet")
    rows = Rows(tmp_path / "estimates.parquet")
    where = {"term": ["IV1"], "between_cluster_sigma": [0.5]}
    found = rows.read(["strategy", "p_value"], where)
    kept = table[(table["term"] == "IV1") & (table["between_cluster_sigma"] == 0.5)]
    assert list(found) == ["strategy", "p_value"] and found["strategy"].dtype == "category"
    np.testing.assert_array_equal(found["p_value"], kept["p_value"])
    ours = distributions(rows, NULL, STUDY, DGP)
    theirs = distributions(Given(table), NULL, STUDY, DGP)
    key = ["clusters", "obs_per_cluster", "strategy", "kind"]
    ours, theirs = (t.set_index(key).sort_index() for t in (ours, theirs))
    np.testing.assert_array_equal(np.stack(ours["share"]), np.stack(theirs["share"]))


def test_figures_find_a_level_of_zero(tmp_path):
    """pyarrow's "in" passes over a file in which a column is zero throughout."""
    table = make_estimates()
    table = table[table["between_cluster_sigma"] == 0.5].assign(between_cluster_sigma=0.0)
    table.to_parquet(tmp_path / "estimates.parquet")
    found = Rows(tmp_path / "estimates.parquet").read(["term"], {"between_cluster_sigma": [0.0]})
    assert len(found) == len(table) > 0


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


def test_the_nested_loop_has_a_step_for_each_cell_in_nested_order():
    table = make_performance()
    within, cluster_level, *factors = figure_of("nested_loop", table).axes
    assert (within.get_title("left"), cluster_level.get_title("left")) == (WITHIN, CLUSTER_LEVEL)
    rows = table[(table["measure"] == "rejection_rate") & (table["handling"] == "case_wise")]
    for axes, term in ((within, "IV1"), (cluster_level, "IV3")):
        steps = [patch for patch in axes.patches if isinstance(patch, StepPatch)]
        for patch, strategy in zip(steps, STRATEGIES, strict=True):
            mine = rows[(rows["term"] == term) & (rows["strategy"] == strategy)]
            expected = mine.sort_values(STUDY)["value"]
            np.testing.assert_allclose(patch.get_data().values, expected)
    ranks = [axes.patches[0].get_data().values.tolist() for axes in factors]
    cells = itertools.product(range(2), range(2), range(3))
    assert ranks == [list(levels) for levels in zip(*cells, strict=True)]
    assert "12 cells" in text_of(figure_of("nested_loop", table))


def test_the_nested_loop_of_a_study_without_a_zero_shows_coverage():
    table = make_performance().assign(true_value=np.nan)
    figure = figure_of("nested_loop", table)
    assert "All cells side by side: coverage" in text_of(figure)
    rows = table[(table["measure"] == "coverage") & (table["handling"] == "case_wise")]
    mine = rows[(rows["term"] == "IV3") & (rows["strategy"] == "two_stage")].sort_values(STUDY)
    steps = [patch for patch in figure.axes[1].patches if isinstance(patch, StepPatch)]
    np.testing.assert_allclose(steps[1].get_data().values, mine["value"])


def sticks(axes, start) -> list[float]:
    lines = [
        line
        for one in axes.collections
        if isinstance(one, LineCollection)
        for line in one.get_segments()
    ]
    return sorted(line[1, 0] for line in lines if line[0, 0] == start)


def test_a_lollipop_is_the_mean_over_sigma_with_the_error_of_independent_cells():
    table = make_performance()
    figure = figure_of("lollipop", table, options={"lollipop": "relative_error"})
    rows = table[(table["measure"] == "relative_error") & (table["handling"] == "case_wise")]
    rows = rows[(rows["term"] != "(Intercept)") & (rows["clusters"] == 10)]
    rows = rows[rows["obs_per_cluster"] == 5].replace({"term": {"IV2": "IV1"}})
    # Per level of sigma the mean of two alike slopes, then over sigmas.
    cells = rows.groupby(["strategy", "term", "between_cluster_sigma"])["value"].mean()
    means = cells.groupby(["strategy", "term"]).mean()
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    inside = sorted(mean for mean in means if low < mean < high)
    drawn = sticks(axes, 0.0)
    assert len(drawn) == len(means) and np.isin(np.round(inside, 9), np.round(drawn, 9)).sum() >= 4
    widths = np.diff(black_bars(axes)).ravel()
    assert widths == pytest.approx([2 * 1.959964 * 0.1 / np.sqrt(3)] * len(widths), rel=1e-5)


def black_bars(axes) -> np.ndarray:
    """The ends of the Monte Carlo intervals of the sticks, of which there is a row for each."""
    bars = [
        line[:, 0]
        for one in axes.collections
        if isinstance(one, LineCollection) and to_rgb(one.get_colors()[0]) == to_rgb("#222222")
        for line in one.get_segments()
    ]
    return np.array(bars)


def test_a_lollipop_of_shares_has_wilson_intervals_of_all_fits():
    table = set_values(make_performance(), "coverage", 1.0)
    table = table[(table["clusters"] == 10) & (table["obs_per_cluster"] == 5)]
    figure = figure_of("lollipop", table[table["term"] == "IV3"], strategies=["cluster_robust"])
    (bar,) = black_bars(figure.axes[0])
    fits = 3 * SIMS
    assert bar == pytest.approx(proportion_confint(fits, fits, method="wilson"), abs=1e-9)


def test_a_lollipop_of_one_sigma_speaks_of_no_mean():
    table = make_performance()
    figure = figure_of("lollipop", table[table["between_cluster_sigma"] == 1])
    assert "mean over" not in text_of(figure) and "grey" not in text_of(figure)
    assert "Mark: the value, with its" in text_of(figure)
    assert all("sigma" not in text.get_text() for text in figure.legends[0].get_texts())


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


def test_captions_speak_of_arrows_where_there_are_some():
    inside = make_performance()
    inside.loc[inside["measure"] == "coverage", "value"] = 0.95
    for name in ("coverage", "lollipop"):
        assert "Arrows" not in text_of(figure_of(name, inside))
        outside = set_values(inside, "coverage", 0.3, obs_per_cluster=5, clusters=10)
        assert "Arrows: beyond the axis" in text_of(figure_of(name, outside))


def test_a_strategy_without_a_value_at_some_level_has_dots_and_no_stick():
    whole = make_performance()
    gone = (whole["strategy"] == "two_stage") & (whole["between_cluster_sigma"] == 0.1)
    figures = [figure_of("lollipop", table) for table in (whole, whole[~gone])]
    counts = [sum(len(sticks(axes, 0.95)) for axes in figure.axes) for figure in figures]
    assert counts == [4 * 3 * 2, 4 * 2 * 2]
    assert "Without a stick: no value at some of the levels." in text_of(figures[1])
    assert "Without a stick" not in text_of(figures[0])


@pytest.mark.parametrize("measure", ["rejection_rate", "size_adjusted_power", "bias"])
def test_the_measure_of_the_lollipops_is_the_configs(measure):
    figure = figure_of("lollipop", options={"lollipop": measure})
    words, _ = MEASURES[measure]
    assert words in text_of(figure)
    kinds = [text.get_text() for text in figure.legends[0].get_texts()[:-1]]
    assert kinds == ([WITHIN] if measure == "size_adjusted_power" else [WITHIN, CLUSTER_LEVEL])


def test_the_config_offers_the_measures_that_there_are():
    option = schema()["properties"]["figures"]["properties"]["lollipop"]
    assert option["enum"] == list(MEASURES) and option["default"] == lollipop.DEFAULT


@pytest.mark.parametrize(
    ("coefficients", "others"),
    [
        ({"uniform": [0, 1]}, set()),
        ([0, 0.5, 1], {"zip_plot", "nested_loop", "lollipop", "power"}),
        ([1, 0], {"zip_plot", "nested_loop", "lollipop", "type_i_error", "p_value_ecdf"}),
        ([1, 0, 2], set(INFERENCE)),
    ],
)
def test_a_study_has_the_figures_that_show_something_of_it(coefficients, others):
    always = {"bias", "coverage", "relative_error"}
    assert set(names([coefficients])) & set(INFERENCE) == {*always, *others}
    assert set(names([coefficients])) >= set(FIGURES) - set(INFERENCE)


def test_coefficients_that_are_a_factor_count_together():
    assert set(INFERENCE) <= set(names([{"uniform": [0, 1]}, [0, 0], [0, 1]]))
    assert "type_i_error" not in names([[0, 1], [0, 2]])


def test_only_p_values_of_the_cells_in_which_a_slope_is_zero_count():
    parts = [make_estimates().assign(coefficients=level) for level in ("0,0,0,0", "0,0,0.3,0")]
    null = pd.DataFrame(
        {"coefficients": ["0,0,0,0", "0,0,0,0", "0,0,0.3,0"], "term": ["IV1", "IV2", "IV1"]}
    )
    factors = [*STUDY, "coefficients"]
    found = distributions(Given(pd.concat(parts)), null, factors, DGP)
    terms = found.groupby("coefficients")["terms"].unique().to_dict()
    assert {level: list(count) for level, count in terms.items()} == {
        "0,0,0,0": [2],
        "0,0,0.3,0": [1],
    }


def test_tests_of_another_level_have_its_line_and_band():
    for name in ("type_i_error", "nested_loop"):
        axes = figure_of(name, options={"alpha": 0.01}).axes[0]
        lines = [line.get_ydata() for line in axes.lines]
        assert [0.01, 0.01] in [list(y) for y in lines] and 0.01 in axes.get_yticks()

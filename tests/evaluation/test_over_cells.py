"""Verdicts over several cells: the worst, the range, and what is drawn again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest

from clustrategy.core.cells import Cell
from clustrategy.evaluation.cell_verdicts import Judged, Key, Rules, judge_cell
from clustrategy.evaluation.over_cells import (
    Fresh,
    Scope,
    named,
    order,
    over_cells,
    scopes,
    worst_cells,
)
from clustrategy.evaluation.promises import Found, Sample, rate
from clustrategy.evaluation.regions import Regions

RULES = Rules(Regions(), (0.5,), 0.5)
KIND = "predictor within clusters"
RATE = Key("A", KIND, "false_positive_rate")


def rejecting(share: float, sims: int = 1000, unusable: float = 0.0) -> Judged:
    """Judge a false-positive rate of so many sims."""
    outcomes = (np.arange(sims) < round(share * sims))[None].astype(float)
    return RULES.false_positives(rate(outcomes, 0.95), ("IV1",), unusable, sims)


def absent(note: str) -> Judged:
    return RULES.false_positives(Found(note=note), ("IV1",), 0.0, 1000)


def together(
    judged: Iterable[Judged], fresh: Fresh | None = None, key: Key = RATE
) -> dict[str, Any]:
    """Return the row of some cells."""
    cells = [{key: each} for each in judged]
    grid: list[Cell] = [{"clusters": 10 * (i + 1), "sigma": 0.5} for i in range(len(cells))]
    scope = Scope("all", {}, tuple(range(len(cells))))
    (line,) = over_cells(grid, cells, scope, RULES, fresh or {})
    return line


def test_cells_are_taken_together_by_all_and_by_each_level() -> None:
    grid: list[Cell] = [{"clusters": g, "n": 5, "sigma": s} for g in (10, 30) for s in (0.5, 1.0)]
    assert scopes(grid, ["sigma", "n"]) == [
        Scope("all", {}, (0, 1, 2, 3)),
        Scope("sigma", {"sigma": 0.5}, (0, 2)),
        Scope("sigma", {"sigma": 1.0}, (1, 3)),
    ]


def test_a_cell_has_a_name_in_words() -> None:
    cell: dict[str, Any] = {"clusters": 10, "between_cluster_sigma": 1.0, "treatment": "within"}
    assert named(cell) == "10 clusters, between_cluster_sigma 1, treatment within"


def test_the_worst_the_range_and_the_mean() -> None:
    line = together([rejecting(0.05), rejecting(0.09), rejecting(0.01)])
    numbers = ("value", "lowest", "highest", "mean_over_these_cells")
    assert [line[name] for name in numbers] == pytest.approx([0.09, 0.01, 0.09, 0.05])
    assert (line["cells"], line["worst_cell"]) == (3, "20 clusters, sigma 0.5")
    # R 4.2: prop.test(90, 1000, conf.level = 1 - .05 / 3, correct = FALSE)$conf.int
    ends = (line["conf_low"], line["conf_high"])
    assert ends == pytest.approx((0.070607037157, 0.114065716850), abs=1e-11)
    assert (line["verdict"], line["between"]) == ("undecided", "slightly_liberal or liberal")
    assert line["note"].endswith("not drawn again: its interval holds for the worst of 3 cells")


def test_the_sims_that_decide_are_by_the_level_of_the_interval() -> None:
    """105 of 1,150 are liberal in one cell; as the worst of three they are not yet."""
    alone, three = (
        together([rejecting(105 / 1150, 1150), *[rejecting(0.05)] * more]) for more in (0, 2)
    )
    assert (alone["verdict"], alone["sims_needed"]) == ("liberal", None)
    assert three["verdict"] == "undecided"
    z, rate = 2.3939797998, 105 / 1150  # R 4.2: qnorm(1 - .05 / 6)
    assert three["sims_needed"] == np.ceil(z**2 * 0.075 * 0.925 / (rate - 0.075) ** 2)


def test_unusable_fits_are_among_the_sims_needed() -> None:
    """Half of the fits are unusable: twice the sims, whatever the cells are judged together."""
    outcomes = np.where(np.arange(1000) < 500, np.nan, np.arange(1000) < 545)[None].astype(float)
    half = RULES.false_positives(rate(outcomes, 0.95), ("IV1",), 0.5, 1000)
    full = rejecting(0.09, 500)
    assert half.sims_needed == pytest.approx(2 * (full.sims_needed or 0), abs=1)
    for measure in ("false_positive_rate", "coverage", "bias"):
        key = RATE._replace(measure=measure)
        lines = []
        for sims in (500, 1000):
            found = Found(0.09, 0.01, 0.07, 0.11, 500, 500.0 * (measure != "bias"))
            if measure == "coverage":
                found = Found(0.91, 0.01, 0.89, 0.93, 500, 500.0)
            if measure == "false_positive_rate":
                each = RULES.false_positives(found, ("IV1",), 0.0, sims)
            else:
                each = RULES.promise(measure, found, ("IV1",), sims)
            lines.append(together([each, each], key=key))
        assert lines[1]["sims_needed"] == pytest.approx(2 * lines[0]["sims_needed"], abs=1)


def test_a_worst_cell_drawn_again_is_judged_by_its_new_sims() -> None:
    cells = [rejecting(0.05), rejecting(0.08)]
    line = together(cells, {(1, "A", KIND): rejecting(0.055, 4000)})
    assert (line["value"], line["n"], line["verdict"]) == (0.055, 4000, "holds")
    assert (line["lowest"], line["highest"], line["note"]) == (0.05, 0.08, None)
    other = together(cells, {(0, "A", KIND): rejecting(0.055)})
    assert other["value"] == 0.08, "that is not the worst cell"
    nothing = together(cells, {(1, "A", KIND): absent("no usable fit")})
    assert nothing["value"] == 0.08 and "not drawn again" in nothing["note"]


def test_safe_is_safe_in_each_cell_and_not_liberal_in_the_worst() -> None:
    good = rejecting(0.05, 10_000)
    assert together([good, good])["safe"] is True
    assert together([good, rejecting(0.05, 500)])["safe"] is False
    assert together([good, absent("no usable fit")])["safe"] is False
    assert together([good, absent("not estimated")])["safe"] is True
    assert together([absent("not estimated")] * 2)["safe"] is None
    liberal = together([good, good], {(0, "A", KIND): rejecting(0.2)})
    assert (liberal["safe"], liberal["verdict"]) == (False, "liberal")
    assert (liberal["safe_cells"], liberal["liberal_cells"]) == (1, 1), "drawn again"


def test_cells_are_counted_by_what_they_are() -> None:
    cells = [
        rejecting(0.04, 10_000),
        rejecting(0.2),
        rejecting(0.05, 100),
        absent("no usable fit"),
        absent("not estimated"),
        rejecting(0.04, 10_000, unusable=0.06),
    ]
    line = together(cells)
    counts = [line[f"{name}_cells"] for name in ("safe", "liberal", "undecided")]
    assert counts == [1, 1, 3]


def test_liberal_cells_are_corrected_for_their_number() -> None:
    """A cell with a one-sided p-value of .0112 is liberal alone and of two, but not of three."""
    # R 4.2: prop.test(77, 800, p = .075, alternative = "greater", correct = FALSE)$p.value
    one = rejecting(77 / 800, 800)
    counts = [together([one, *[rejecting(0.05)] * more])["liberal_cells"] for more in range(3)]
    assert counts == [1, 1, 0]


def test_a_single_cell_is_liberal_if_its_verdict_says_so() -> None:
    for rejected in range(80, 110):
        line = together([rejecting(rejected / 1000)])
        assert bool(line["liberal_cells"]) == (line["verdict"] == "liberal")
    assert line["verdict"] == "liberal"


def test_nothing_known_anywhere_says_why() -> None:
    line = together([absent("no usable fit")] * 2)
    assert (line["note"], line["safe"], line["cells"]) == ("no usable fit", False, 2)
    assert np.isnan(line["value"]) and "worst_cell" not in line


@pytest.mark.parametrize(
    ("measure", "values", "worst"),
    [
        ("coverage", [0.99, 0.9, 0.95], 0.9),
        ("power", [0.3, 0.2, 0.9], 0.2),
        ("size_adjusted_power", [0.3, 0.2, 0.9], 0.2),
        ("relative_error", [0.1, -0.2, 0.15], -0.2),
        ("bias", [0.1, -0.2, 0.25], 0.25),
        ("minimal_detectable_effect", [1.0, 3.0, np.nan], 3.0),
        ("singular_rate", [0.0, 0.5, 0.2], 0.5),
        ("unusable_rate", [0.0, 0.5, 0.2], 0.5),
    ],
)
def test_what_is_worst(measure: str, values: list[float], worst: float) -> None:
    trials = 100.0 * (measure == "coverage")
    key = RATE._replace(measure=measure)
    cells = [Judged(("IV1",), Found(v, 0.01, v - 0.02, v + 0.02, 100, trials)) for v in values]
    line = together(cells, key=key)
    assert line["value"] == worst and line["lowest"] == np.nanmin(values)
    is_promise = measure in ("coverage", "relative_error", "bias")
    assert ("not drawn again" in (line["note"] or "")) is is_promise
    if measure == "bias":
        # R 4.2: qnorm(1 - .05 / 6)
        assert line["conf_high"] - line["value"] == pytest.approx(0.01 * 2.3939797998)


def test_the_worst_cells_of_all_scopes_are_drawn_again() -> None:
    cells = [
        {
            RATE: rejecting(share),
            Key("B", KIND, "false_positive_rate"): rejecting(0.1 - share),
            Key("A", "intercept", "false_positive_rate"): rejecting(0.2),
            RATE._replace(measure="coverage"): rejecting(share),
            Key("C", KIND, "false_positive_rate"): absent("no usable fit"),
        }
        for share in (0.04, 0.06, 0.05)
    ]
    everything, first_two = Scope("all", {}, (0, 1, 2)), Scope("n", {"n": 5}, (0, 1))
    assert worst_cells(cells, [everything]) == {0: [("B", KIND)], 1: [("A", KIND)]}
    last_two = Scope("n", {"n": 9}, (1, 2))
    assert worst_cells(cells, [everything, first_two, last_two]) == {
        0: [("B", KIND)],
        1: [("A", KIND)],
        2: [("B", KIND)],
    }
    assert worst_cells(cells, [Scope("n", {"n": 5}, (1,))]) == {}, (
        "one cell is not the worst of many"
    )


def judged(
    errors: Mapping[str, np.ndarray], equivariant: Iterable[bool], std_error: float = 1.0
) -> dict[Key, Judged]:
    """Judge strategies with these errors by z tests."""
    labels = [*errors]

    def sample(place: int, kind: str) -> Sample:
        error = errors[labels[place]][None]
        one = np.full_like(error, std_error)
        return Sample(error, one, one * np.inf, error - 1.96, error + 1.96)

    usable = np.array([np.isfinite(errors[label]) for label in labels])
    status = np.where(usable, "ok", "error")
    terms = {KIND: ("IV1",)}
    everywhere = [True] * len(labels)
    return judge_cell(RULES, labels, terms, sample, status, usable, everywhere, [*equivariant])


def test_the_safe_ones_with_known_power_are_compared_with_the_best() -> None:
    rng = np.random.default_rng(1)
    cells = []
    for _ in range(2):
        sharp = rng.normal(size=4000) * 0.2
        errors = {
            "sharp": sharp,
            "blunt": sharp + rng.normal(size=4000) * 0.2,
            "wild": rng.normal(size=4000) * 5,
            "unknown": sharp,
        }
        cells.append(judged(errors, [True, True, True, False]))
    grid: list[Cell] = [{"clusters": 10}, {"clusters": 20}]
    scope = Scope("all", {}, (0, 1))
    lines = order(
        [*over_cells(grid, cells, scope, RULES, {})], ["sharp", "blunt", "wild", "unknown"]
    )
    best = {line["strategy"]: line for line in lines if line["measure"] == "power_less_the_best"}
    assert [*best] == ["sharp", "blunt"], "the wild one is not safe, of the other nothing is known"
    adjusted = {
        line["strategy"]: line["mean_over_these_cells"]
        for line in lines
        if line["measure"] == "size_adjusted_power"
        and line["effect"] == 0.5
        and "mean_over_these_cells" in line
    }
    gap = adjusted["sharp"] - adjusted["blunt"]
    assert best["sharp"]["value"] == pytest.approx(gap)
    assert best["blunt"]["value"] == pytest.approx(-gap)
    assert best["blunt"]["conf_high"] < -0.02 < 0 < best["sharp"]["conf_low"]
    assert (best["sharp"]["cells"], best["sharp"]["n"], best["sharp"]["effect"]) == (2, 4000, 0.5)


def test_a_single_safe_strategy_has_no_rival() -> None:
    cells = [judged({"A": np.random.default_rng(2).normal(size=4000) * 0.3}, [True])]
    lines = over_cells([{"clusters": 10}], cells, Scope("all", {}, (0,)), RULES, {})
    measures = [line["measure"] for line in lines]
    assert "size_adjusted_power" in measures and "power_less_the_best" not in measures


def test_fits_that_fail_are_counted_beside_the_rate() -> None:
    error = np.random.default_rng(3).normal(size=10_000)
    error[:600] = np.nan
    found = judged({"A": error}, [True])
    rate = found[RATE]
    assert (rate.found.n, rate.sims, rate.safe) == (9400, 10_000, False)
    assert rate.found.value == (np.abs(error[600:]) >= 1.959963984540054).mean() < 0.06
    assert found[Key("A", None, "unusable_rate")].found.value == 0.06
    error[:500] = 0.1
    assert judged({"A": error}, [True])[RATE].safe is True


def test_scopes_of_several_factors_have_a_level_of_each() -> None:
    grid: list[Cell] = [
        {"clusters": G, "n": n, "sigma": sigma} for G in (5, 9) for n in (2,) for sigma in (0, 1)
    ]
    assert scopes(grid, [["clusters", "n"]])[1:] == [
        Scope("clusters, n", {"clusters": 5, "n": 2}, (0, 1)),
        Scope("clusters, n", {"clusters": 9, "n": 2}, (2, 3)),
    ]
    assert scopes(grid, [["clusters", "sigma"], ["n"]])[1:] == [], "each cell alone, or all"

"""The benchmarks at a glance."""

from __future__ import annotations

from typing import Any

from benchmarks.draw_fit_test import MCPOWER, OURS
from benchmarks.engines import DEFAULT, PYMER4, REFERENCE, STRATEGIES
from benchmarks.figure import draw
from benchmarks.points import CURVES

from clustrategy.figures.parts.frame import words_on

TOTALS = {DEFAULT: 1.82, REFERENCE: 874.0, PYMER4: 1450.0, "glmm": 20.0}
VERSIONS = {
    DEFAULT: {"numpy": "2.4"},
    REFERENCE: {"lme4": "1.1", "lmerTest": "3.1", "statsmodels": "0.15"},
    PYMER4: {"pymer4": "0.8"},
    "glmm": {"glmm": "0.6"},
}
DATED = {"date": "2026-11-28"}
TOOK = {"failed": 0, "version": None}
SIMULATORS: dict[str, Any] = {
    **DATED,
    "sims": 50,
    "turns": 2,
    "designs": {
        "30 × 25": {
            OURS: {**TOOK, "seconds": 2.0},
            MCPOWER: {"failed": 2, "version": "1.4.1", "seconds": 0.1},
        },
        "10 × 10": {
            OURS: {**TOOK, "seconds": 4.0},
            MCPOWER: {"failed": 1, "version": "1.4.1", "seconds": 3.0},
        },
    },
}
SPENT: dict[str, Any] = {
    **DATED,
    "strategies": list("abcdefg"),
    "seconds": {"simulate": 90.0, **{name: i + 1.0 for i, name in enumerate("abcdefg")}},
    "fits": 1000,
}
RUNS = {"plain loop, 1 core": 34.2, "workflow, 2 cores": 16.4}


def test_dots_are_at_the_seconds_on_a_log_scale_and_the_title_is_the_ratio() -> None:
    engines: dict[str, Any] = {
        "contenders": {
            name: {"total": total, "versions": VERSIONS[name]} for name, total in TOTALS.items()
        },
        "cells": 45,
        "sims": 50,
        "machine": "a machine",
        "date": "2026-11-22",
    }
    curve = {"sizes": [2, 4, 8], "seconds": [0.1, 0.2, 0.4], "engine": "numpy", "default": True}
    others = [{**curve, "engine": name, "default": False} for name in ("glmm", "lme4")]
    curves = [
        {**one, "curve": name, "strategy": STRATEGIES[0]}
        for name in CURVES
        for one in (curve, *others)
    ]
    runs = {name: {"wall": wall} for name, wall in RUNS.items()}
    figure = draw(engines, {"curves": curves, **DATED}, {"runs": runs, **DATED}, SIMULATORS, SPENT)
    fits, simulators, *_, dearest, last = figure.axes
    for axes, seconds in ((fits, [1.82, 874, 1450]), (last, [34.2, 16.4])):
        (dots,) = [line for line in axes.lines if line.get_marker() == "o"]
        assert list(dots.get_xdata()) == seconds and axes.get_xscale() == "log"
        low, high = axes.get_xlim()
        assert low < min(seconds) and max(seconds) < high
    said = {text.get_text() for text in fits.texts}
    assert said == {
        "default engines: 1.82",
        "lmerTest 3.1 and statsmodels 0.15: 874",
        "pymer4 0.8's own loop: 1,450",
    }
    assert {"glmm 0.6", "lme4 1.1"} <= {
        text.get_text() for legend in figure.legends for text in legend.get_texts()
    }
    ours, theirs = simulators.lines
    assert list(ours.get_ydata()) == [2.0, 4.0] and list(ours.get_xdata()) == [0, 1]
    # MCPower's fits of the first design failed.
    assert list(theirs.get_ydata()) == [3.0] and list(theirs.get_xdata()) == [1]
    assert simulators.get_yscale() == "log"
    assert [ours.get_label(), theirs.get_label()] == [OURS, "MCPower 1.4.1"]
    (dots,) = [line for line in dearest.lines if line.get_marker() == "o"]
    assert list(dots.get_xdata()) == [3, 4, 5, 6, 7]
    times = "480 times faster than lmerTest and statsmodels"
    assert words_on(figure).title == f"The default engine fits the study {times}"
    assert "Measured from 2026-11-22 to 2026-11-28: a machine." in words_on(figure).caption.replace(
        "\n", " "
    )

"""The benchmarks at a glance."""

from __future__ import annotations

from typing import Any

from benchmarks.engines import DEFAULT, PYMER4, REFERENCE, STRATEGIES
from benchmarks.figure import draw
from benchmarks.points import CURVES

from clustrategy.figures.parts.frame import words_on

TOTALS = {DEFAULT: 1.82, REFERENCE: 874.0, PYMER4: 1450.0, "glmm": 20.0}
RUNS = {"plain loop, 1 core": 34.2, "workflow, 2 cores": 16.4}


def test_dots_are_at_the_seconds_on_a_log_scale_and_the_title_is_the_ratio() -> None:
    engines: dict[str, Any] = {
        "contenders": {name: {"total": total} for name, total in TOTALS.items()},
        "cells": 45,
        "sims": 50,
        "machine": "a machine",
    }
    curve = {"sizes": [2, 4, 8], "seconds": [0.1, 0.2, 0.4], "engine": "numpy", "default": True}
    curves = [{**curve, "curve": name, "strategy": STRATEGIES[0]} for name in CURVES]
    runs = {name: {"wall": wall} for name, wall in RUNS.items()}
    figure = draw(engines, {"curves": curves}, {"runs": runs})
    fits, *_, last = figure.axes
    for axes, seconds in ((fits, [1.82, 874, 1450]), (last, [34.2, 16.4])):
        (dots,) = [line for line in axes.lines if line.get_marker() == "o"]
        assert list(dots.get_xdata()) == seconds and axes.get_xscale() == "log"
        low, high = axes.get_xlim()
        assert low < min(seconds) and max(seconds) < high
    times = "480 times faster than lmerTest and statsmodels"
    assert words_on(figure).title == f"The default engine fits the study {times}"

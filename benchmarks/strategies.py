"""What each strategy of the inference study takes: CPU ms a fit, and its share of the study's CPU.

    python -m benchmarks.strategies [--sims N] [--turns N]

All strategies of config/inference.yaml are fitted to the same datasets of every fourth cell, which
between them have all sizes and all variances. The shares are those of drawing, fitting and testing
in these cells, tables written; Snakemake, scores and figures are none of it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from statistics import median
from typing import Any

from benchmarks import fits
from benchmarks.measure import child, interleaved, keep
from benchmarks.words import digits
from clustrategy.tables.markdown import markdown_table

EVERY = 4


def measured(sims: int, turns: int) -> dict[str, Any]:
    """Let each turn fit other sims of the cells.

    Returns
    -------
    dict
        `sims` of a cell in a turn, `turns`, `cells`; `strategies`, their labels; `seconds`, the
        median of each part; and `fits`, how many datasets each strategy is fitted to in a turn.
    """
    study = fits.inference_study()
    labels = [strategy.label for strategy in study.strategies]

    def once(turn: int) -> dict[str, Any]:
        entries = json.dumps([strategy.spec for strategy in study.strategies])
        options = ("--inference", "--every", EVERY)
        return dict(child("fits", turn * sims, sims, entries, *options))

    answers = interleaved({"all strategies": once}, turns)["all strategies"]
    parts = answers[0]["seconds"]
    return {
        "sims": sims,
        "turns": turns,
        "cells": len(study.cells[::EVERY]),
        "fits": answers[0]["fits"] // len(labels),
        "strategies": labels,
        "seconds": {part: median(one["seconds"][part] for one in answers) for part in parts},
    }


def describe(result: Mapping[str, Any]) -> list[str]:
    """Say in Markdown what was found, the dearest first."""
    seconds, each = result["seconds"], result["fits"]
    whole = sum(seconds.values())
    dearest = sorted(seconds, key=lambda part: -seconds[part])
    body = [
        [part, digits(1000 * seconds[part] / each), f"{seconds[part] / whole:.1%}"]
        for part in dearest
    ]
    body.append(["sum", digits(1000 * whole / each), "100.0%"])
    return [
        f"All strategies of the inference study, on {result['sims']:,} sims of every fourth cell "
        f"({result['cells']} cells), with what they share: CPU milliseconds a dataset, and the "
        "share in the CPU of drawing, fitting, testing and writing the tables of these cells, in "
        f"one process. Medians of {result['turns']} turns with other sims.",
        "",
        *markdown_table(["", "ms a dataset", "share"], body),
    ]


def main() -> None:
    """Measure, print the table and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sims", type=int, default=100)
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    result = measured(options.sims, options.turns)
    print("\n".join(describe(result)))
    keep("strategies", result)


if __name__ == "__main__":
    main()

"""The default study's draws and fits by version 0.1 and by this one, beside each other in one run.

    python -m benchmarks.first_version [--turns N]

Each version runs its own `benchmarks.fits`, in a process of its own. With more sims a cell the cost
of calls counts less, which tells it from that of numbers.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import fits
from benchmarks.checkout import checkout
from benchmarks.engines import STRATEGIES
from benchmarks.measure import child, interleaved, keep, run
from benchmarks.words import digits
from clustrategy.tables.markdown import markdown_table

COMMIT = "9d53792"
"""Version 0.1."""

SIMS = (50, 250)
"""Sims of a cell: those of the default study, and more."""

FIRST, THIS = "0.1", "now"
FITTING = (fits.SIMULATE, fits.STATISTICS, *STRATEGIES)
WRITING = (fits.TABLES, fits.PARQUET)
GOAL = 0.4

Seconds = dict[str, float]


def measured(turns: int) -> dict[str, Any]:
    """Let both versions have their turns.

    Returns
    -------
    dict
        `commit`, `turns`, `cells`, and as `runs`, by sims of a cell and version, the least seconds
        of each part.
    """
    runs = {}
    with checkout({}, COMMIT) as first:

        def by_first(sims: int) -> Seconds:
            arguments = ("0", str(sims), json.dumps(STRATEGIES))
            command = [sys.executable, "-m", "benchmarks.fits", *arguments]
            said = run(command, first.folder, first.package)[1]
            return dict(json.loads(said.splitlines()[-1])["seconds"])

        def by_this(sims: int) -> Seconds:
            return dict(child("fits", 0, sims, json.dumps(STRATEGIES))["seconds"])

        def of(version: Callable[[int], Seconds], sims: int) -> Callable[[int], Seconds]:
            return lambda turn: version(sims)

        for sims in SIMS:
            answers = interleaved({FIRST: of(by_first, sims), THIS: of(by_this, sims)}, turns)
            runs[str(sims)] = {
                version: {part: min(one[part] for one in given) for part in (*FITTING, *WRITING)}
                for version, given in answers.items()
            }
    cells = len(fits.default_study().cells)
    return {"commit": COMMIT, "turns": turns, "cells": cells, "runs": runs}


def describe(result: Mapping[str, Any]) -> list[str]:
    """Say in Markdown what was found."""
    body = []
    sums = ("draws and fits", FITTING), ("tables", WRITING)
    for group, parts in sums:
        rows = [(part, (part,)) for part in parts] + [(f"sum of {group}", parts)]
        for name, summed in rows:
            row = [name]
            for by_version in result["runs"].values():
                first, this = _seconds(by_version, summed)
                row += [digits(first), digits(this), f"{this / first:.2f}"]
            body.append(row)
    head = [""]
    for sims in result["runs"]:
        head += [f"{FIRST}, {sims} sims", f"{THIS}, {sims} sims", "ratio"]
    few, *_, many = (_ratio(by_version) for by_version in result["runs"].values())
    small, *_, large = result["runs"]
    fitted = result["cells"] * int(small) * len(STRATEGIES)
    reached = "was reached" if few <= GOAL else "was not reached"
    return [
        f"CPU seconds of the {fitted:,} fits of the default study, {result['cells']} cells of "
        f"{small} sims, and of the same with {large} sims a cell, by version {FIRST} (commit "
        f"{result['commit']}) and by this one, each in a process of its own. The least of "
        f"{result['turns']} turns, part by part; start-up is none of it.",
        "",
        *markdown_table(head, body),
        "",
        f"The goal of {GOAL:g} {reached}: draws and fits take {few:.2f} of what {FIRST} took. With "
        f"{large} sims a cell they take {many:.2f}: the difference is probably "
        f"the cost of calls, which a block of {small} datasets shares among fewer. "
        "[What is left of a fit](#what-is-left-of-a-fit) has the profile.",
    ]


def _seconds(by_version: Mapping[str, Mapping[str, float]], parts: tuple[str, ...]) -> list[float]:
    return [sum(by_version[version][part] for part in parts) for version in (FIRST, THIS)]


def _ratio(by_version: Mapping[str, Mapping[str, float]]) -> float:
    first, this = _seconds(by_version, FITTING)
    return this / first


def main() -> None:
    """Measure, print the table and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    result = measured(parser.parse_args().turns)
    print("\n".join(describe(result)))
    keep("first_version", result)


if __name__ == "__main__":
    main()

"""Drawing, fitting and testing `y ~ x + (1 + x | g)` without an effect, beside MCPower and glmm.

    python -m benchmarks.draw_fit_test [--mcpower PATH/TO/python] [--turns N]

The Python is one that has MCPower. Each contender has a process of its own for each design and
turn, and all of them the same seeds, from which MCPower draws other data. What starts a contender
up is done before the clock runs. Rates of false positives stand beside the seconds, so that no
speed is bought with wrong answers, and a contender of whose fits too many fail is left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.engines import MOST_FAILED
from benchmarks.mcpower_rates import mcpower, summarised
from benchmarks.measure import child, interleaved, keep
from benchmarks.words import digits
from clustrategy.tables.markdown import markdown_table

DESIGNS = {"30 × 25": (30, 25), "10 × 10": (10, 10), "100 × 25": (100, 25), "100 × 100": (100, 100)}
"""Clusters and rows of each."""

OURS, GLMM, MCPOWER = "clustrategy", "glmm", "MCPower"


def measured(python: str | None, sims: int, turns: int) -> dict[str, Any]:
    """Let all contenders have their turns at every design.

    Returns
    -------
    dict
        `sims` of a turn, `turns`, and `designs`: by name, what each contender took and found; its
        rate is as a share.
    """
    contenders: dict[str, Callable[[str], dict[str, Any]]] = {
        OURS: lambda asked: dict(child("mcpower_ours", asked)),
        GLMM: lambda asked: dict(
            child("mcpower_ours", json.dumps({**json.loads(asked), "engine": "glmm"}))
        ),
    }
    if python:
        contenders[MCPOWER] = lambda asked: mcpower(python, asked)
    designs = {}
    for design, (clusters, rows) in DESIGNS.items():

        def asked(turn: int, clusters: int = clusters, rows: int = rows) -> str:
            return json.dumps(
                {
                    "clusters": clusters,
                    "rows": rows,
                    "level": "row",
                    "icc": 0.2,
                    "slope_variance": 0.25,
                    "effects": [0.0],
                    "tests": ["t"],
                    "sims": sims,
                    "seed": 100 + turn,
                }
            )

        def takes_turns(
            ask: Callable[[str], dict[str, Any]], asked: Callable[[int], str] = asked
        ) -> Callable[[int], dict[str, Any]]:
            return lambda turn: ask(asked(turn))

        answers = interleaved({name: takes_turns(ask) for name, ask in contenders.items()}, turns)
        designs[design] = {name: summarised(given) for name, given in answers.items()}
        for one in designs[design].values():
            one["rate"] = one.pop("rates")["0 t"]
    return {"sims": sims, "turns": turns, "designs": designs}


def ranked(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return, by design, what the contenders took of whose fits not too many failed."""
    most = MOST_FAILED * result["sims"] * result["turns"]
    return {
        design: {name: one for name, one in found.items() if one["failed"] <= most}
        for design, found in result["designs"].items()
    }


def labelled(name: str, found: Mapping[str, Any]) -> str:
    """Name a contender with the version that it said it has."""
    return f"{name} {found['version']}" if found["version"] else name


def describe(result: Mapping[str, Any]) -> list[str]:
    """Say in Markdown what was found."""
    fits = result["sims"] * result["turns"]
    body, notes = [], []
    for design, found in result["designs"].items():
        kept = ranked(result)[design]
        for name, one in found.items():
            label = labelled(name, one)
            if name not in kept:
                notes.append(
                    f"\nLeft out at {design}: {label}, {one['failed']:,} of {fits:,} fits failed."
                )
                continue
            ratio = digits(one["seconds"] / kept[OURS]["seconds"]) if OURS in kept else ""
            error = np.sqrt(one["rate"] * (1 - one["rate"]) / fits)
            rate = f"{100 * one['rate']:.2f} ({100 * error:.2f})"
            body.append([design, label, digits(one["seconds"]), ratio, rate])
    head = ["clusters × rows", "by", "CPU s", "times", "false positives, % (MCSE)"]
    return [
        f"CPU seconds to draw, fit and test {result['sims']:,} datasets of `y ~ x + (1 + x | g)` "
        "without an effect of x, which varies within clusters; the intraclass correlation is 0.2 "
        "and the variance of the slopes 0.25 times that of the errors. Medians of "
        f"{result['turns']} turns, without start-up; rates of all their datasets, at a level of "
        "5 %. clustrategy and glmm fit the same draws, drawn by clustrategy, with Satterthwaite's "
        "degrees of freedom; MCPower draws its own and has between-within ones, which are far too "
        "many where slopes vary.",
        "",
        *markdown_table(head, body),
        *notes,
    ]


def main() -> None:
    """Measure, print the table and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mcpower", metavar="PYTHON", help="the Python that has MCPower")
    parser.add_argument("--sims", type=int, default=4000)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    result = measured(options.mcpower, options.sims, options.turns)
    print("\n".join(describe(result)))
    keep("draw_fit_test", result)


if __name__ == "__main__":
    main()

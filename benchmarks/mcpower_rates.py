"""Rates of false positives and power by MCPower and by clustrategy, in one run.

    python -m benchmarks.mcpower_rates PATH/TO/python [--sims N]

The Python is one that has MCPower. Both draw one standard normal predictor anew in every dataset, a
normal intercept for each cluster (and a slope) and errors of variance 1, and fit a mixed model.
MCPower names its estimator MLE, but its standard errors are those of REML: with eight clusters its
z test is wrong in 9.8 % of datasets, not in the 14.05 % of ML. So z tests are the same model
everywhere. Its t tests have between-within degrees of freedom: those of Satterthwaite where slopes
do not vary, and far too many where they do. Clusters of different sizes it does not draw.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from benchmarks.measure import REPO, child, interleaved, keep, run
from benchmarks.words import digits
from clustrategy.tables.markdown import markdown_table

Design = Mapping[str, Any]

DESIGNS: list[Design] = [
    {
        "name": "8 clusters of 20, a predictor of whole clusters",
        "clusters": 8,
        "rows": 20,
        "level": "cluster",
        "icc": 0.5,
        "slope_variance": 0.0,
        "effects": [0.0, 1.2],
        "same": ["z", "t"],
    },
    {
        "name": "20 clusters of 10, a predictor within clusters",
        "clusters": 20,
        "rows": 10,
        "level": "row",
        "icc": 0.5,
        "slope_variance": 0.0,
        "effects": [0.0, 0.2],
        "same": ["z", "t"],
    },
    {
        "name": "30 clusters of 10, slopes that vary",
        "clusters": 30,
        "rows": 10,
        "level": "row",
        "icc": 0.2,
        "slope_variance": 0.25,
        "effects": [0.0, 0.3],
        "same": ["z"],
    },
]


def measured(python: str, sims: int, turns: int) -> list[dict[str, Any]]:
    """Ask both about every design, each turn with other seeds."""
    found = []
    for design in DESIGNS:

        def asked(turn: int, design: Design = design) -> str:
            tests = ["z", "t"]
            return json.dumps({**design, "tests": tests, "sims": sims // turns, "seed": 100 + turn})

        answers = interleaved(
            {
                "MCPower": lambda turn: mcpower(python, asked(turn)),
                "clustrategy": lambda turn: child("mcpower_ours", asked(turn)),
            },
            turns,
        )
        found.append({**design, **{name: summarised(given) for name, given in answers.items()}})
        for name in answers:
            if failed := found[-1][name]["failed"]:
                sys.exit(f"{design['name']}: {failed:,} fits by {name} failed")
    return found


def mcpower(python: str, design: str) -> dict[str, Any]:
    """Ask MCPower about a design, in a process of its Python."""
    script = str(REPO / "benchmarks" / "mcpower_loop.py")
    return dict(json.loads(run([python, script, design])[1].splitlines()[-1]))


def summarised(turns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Take the mean rates and the median seconds of all turns, and the sum of fits that failed."""
    rates = {
        key: float(np.mean([turn["rates"][key] for turn in turns])) for key in turns[0]["rates"]
    }
    seconds = median(turn["seconds"] for turn in turns)
    return {
        "rates": rates,
        "seconds": seconds,
        "failed": sum(turn["failed"] for turn in turns),
        "version": turns[0]["version"],
    }


def describe(found: Sequence[Mapping[str, Any]], sims: int, turns: int) -> list[str]:
    """Say in Markdown what was found."""
    rates, costs = [], []
    for design in found:
        theirs, ours = design["MCPower"], design["clustrategy"]
        for key, one in theirs["rates"].items():
            other, (effect, test) = ours["rates"][key], key.split()
            error = np.sqrt((one * (1 - one) + other * (1 - other)) / sims)
            same = "yes" if test in design["same"] else "no"
            row = [design["name"], effect, test, same, f"{100 * one:.2f}", f"{100 * other:.2f}"]
            rates.append([*row, f"{(one - other) / error:.1f}"])
        seconds = [theirs["seconds"], ours["seconds"]]
        costs.append([design["name"], *map(digits, seconds), digits(seconds[1] / seconds[0])])
    version = found[0]["MCPower"]["version"]
    head = ["design", "effect", "test", "same model", "MCPower, %", "clustrategy, %"]
    return [
        f"{sims:,} datasets of each design; MCPower {version}.",
        "",
        *markdown_table([*head, "difference in Monte Carlo SE"], rates),
        "",
        f"CPU seconds to draw, fit and test {sims // turns:,} datasets once:",
        "",
        *markdown_table(["design", "MCPower", "clustrategy", "times"], costs),
    ]


def main() -> None:
    """Ask both, print the tables and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", help="the Python that has MCPower")
    parser.add_argument("--sims", type=int, default=40_000)
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    sims = options.sims // options.turns * options.turns
    found = measured(options.python, sims, options.turns)
    print("\n".join(describe(found, sims, options.turns)))
    keep("mcpower_rates", {"sims": sims, "designs": found})


if __name__ == "__main__":
    main()

"""How the cost of simulating and fitting grows: CPU seconds against the size of the problem.

    python -m benchmarks.curves [--turns N]

Each point is the least of some turns. The exponent of a curve is the slope of a regression of
log seconds on log size over the upper half of the range (above the geometric mean of its ends),
where what a call costs at any size counts little.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.measure import child, interleaved, keep
from benchmarks.words import digits
from clustrategy.tables.markdown import markdown_table


def measured(turns: int) -> dict[str, Any]:
    """Measure the curves, one for each parameter, strategy and engine.

    Parameters
    ----------
    turns : int
        How many times each point is measured.

    Returns
    -------
    dict
        `turns`, and as `curves` rows of `curve`, `strategy`, `engine`, `default` (whether it is
        the default engine), `sizes`, `seconds` (of one dataset, or of all if the sims are the
        size), `exponent` and its `std_error`.
    """
    answers = interleaved({"all points": lambda turn: child("points", turn)}, turns)
    least: dict[tuple[str, str, str, bool], dict[int, float]] = {}
    for row in sum(answers["all points"], []):
        key = (row["curve"], row["strategy"], row["engine"], row["default"])
        points = least.setdefault(key, {})
        seconds = row["seconds"] / (1 if row["curve"] == "sims" else row["sims"])
        points[row["size"]] = min(seconds, points.get(row["size"], np.inf))
    curves = []
    for key, points in sorted(least.items()):
        sizes, seconds = zip(*sorted(points.items()), strict=True)
        slope, std_error = exponent(sizes, seconds)
        curves.append(
            {
                **dict(zip(("curve", "strategy", "engine", "default"), key, strict=True)),
                "sizes": sizes,
                "seconds": seconds,
                "exponent": slope,
                "std_error": std_error,
            }
        )
    return {"turns": turns, "curves": curves}


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> tuple[float | None, float | None]:
    """Regress log seconds on log size over the upper half of the range.

    Returns
    -------
    exponent, std_error : float or None
        The slope and its standard error; None if that half has fewer than three points.
    """
    x, y = np.log(sizes), np.log(seconds)
    upper = x >= (x[0] + x[-1]) / 2
    if upper.sum() < 3:
        return None, None
    x, y = x[upper] - x[upper].mean(), y[upper] - y[upper].mean()
    slope = (x @ y) / (x @ x)
    variance = ((y - slope * x) ** 2).sum() / (len(x) - 2) / (x @ x)
    return float(slope), float(np.sqrt(variance))


def describe(result: Mapping[str, Any]) -> list[str]:
    """Say in Markdown what was found."""
    body = []
    for curve in sorted(
        result["curves"], key=lambda c: (c["curve"], c["strategy"], not c["default"])
    ):
        first, last = ((curve["sizes"][i], curve["seconds"][i]) for i in (0, -1))
        power = "" if curve["exponent"] is None else f"{curve['exponent']:.2f}"
        error = "" if curve["exponent"] is None else f" ({curve['std_error']:.2f})"
        name = f"{curve['curve']}: {curve['strategy']}, {curve['engine']}"
        body.append(
            [name, *(f"{digits(1000 * t)} at {size:,}" for size, t in (first, last)), power + error]
        )
    return [
        "CPU milliseconds of simulating and fitting one dataset (against sims: all of them) at the "
        "ends of each curve, and the exponent by which they grow over the upper half of the range "
        "(standard error in brackets). Where not said otherwise a dataset has 30 clusters, 25 "
        "observations per cluster and 4 random effects, or 1 for mixed_intercept; the least of "
        f"{result['turns']} turns.",
        "",
        *markdown_table(["", "from, ms", "to, ms", "exponent"], body),
    ]


def main() -> None:
    """Measure, print the table and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    result = measured(parser.parse_args().turns)
    print("\n".join(describe(result)))
    keep("curves", result)


if __name__ == "__main__":
    main()

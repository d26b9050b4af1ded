"""One dataset or a few at once by the default engine and by glmm: milliseconds a call.

    python -m benchmarks.few_datasets [--calls N] [--turns N]

Where datasets are few there is little to share the cost of a call of numpy among; glmm, which is
compiled, fits one after the other.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from benchmarks.few_calls import DATASETS, ENGINES
from benchmarks.measure import child, interleaved, keep
from benchmarks.words import digits
from clustrategy.engines.chosen import Strategy
from clustrategy.tables.markdown import markdown_table


def measured(calls: int, turns: int) -> dict[str, Any]:
    """Let each turn time the same calls.

    Returns
    -------
    dict
        `calls` of a turn, `turns`, the `version` of glmm, and as `models` rows of what was fitted,
        with the least `ms` of a turn's mean call by engine.
    """
    answers = interleaved({"few datasets": lambda turn: child("few_calls", calls, 1)}, turns)
    models = [
        {**same[0], "ms": {engine: min(one["ms"][engine] for one in same) for engine in ENGINES}}
        for same in zip(*answers["few datasets"], strict=True)
    ]
    version = Strategy.parse("mixed_maximal", "glmm").versions["glmm"]
    return {"calls": calls, "turns": turns, "version": version, "models": models}


def describe(result: Mapping[str, Any]) -> list[str]:
    """Say in Markdown what was found."""
    rows: dict[tuple[str, str], list[str]] = {}
    slower: dict[int, list[float]] = {datasets: [] for datasets in DATASETS}
    for one in result["models"]:
        ours, theirs = (one["ms"][engine] for engine in ENGINES)
        slower[one["datasets"]].append(ours / theirs)
        row = rows.setdefault((one["name"], f"{one['clusters']} × {one['rows']}"), [])
        row += [digits(ours), digits(theirs), f"{ours / theirs:.2f}"]
    head = ["", "clusters × rows"]
    for datasets in DATASETS:
        head += [f"{datasets}: ours, ms", "glmm, ms", "times"]
    return [
        f"CPU milliseconds a call that fits {', '.join(map(str, DATASETS[:-1]))} or "
        f"{DATASETS[-1]} datasets at once by the default engine, and as many one after the other "
        f"by glmm {result['version']}; both with Satterthwaite's degrees of freedom, and "
        "both as strategies, with the checks of the data that these share. Means of "
        f"{result['calls']} calls with other datasets each, of which the two take turns; the least "
        f"of {result['turns']} runs.",
        "",
        *markdown_table(head, [[*names, *row] for names, row in rows.items()]),
        "",
        "The default engine was to be no slower than glmm. Of these models it is faster with "
        + ", ".join(
            f"{datasets} dataset{'s' * (datasets > 1)} in {sum(t <= 1 for t in times)} of "
            f"{len(times)} ({min(times):.2f} to {max(times):.2f} times glmm's)"
            for datasets, times in slower.items()
        )
        + ". A search calls numpy many times, and these calls take milliseconds however few the "
        "datasets are: a study shares them among hundreds, a person waits for them once. Less "
        "would take a second, compiled search.",
    ]


def main() -> None:
    """Measure, print the table and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    result = measured(options.calls, options.turns)
    print("\n".join(describe(result)))
    keep("few_datasets", result)


if __name__ == "__main__":
    main()

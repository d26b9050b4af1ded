"""The study with many sims through Snakemake: time, and the memory of its largest process.

    python -m benchmarks.scale [--sims N ...] [--ten N ...] [--cores N]

`--sims` are sims of each of the 45 cells of the default study, `--ten` of ten of them. The audit,
whose share does not grow with the sims, is left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from benchmarks.checkout import checkout
from benchmarks.measure import keep
from benchmarks.words import digits
from benchmarks.workflow import without_audit
from clustrategy.tables.markdown import markdown_table

TEN = {"clusters": [10, 30], "obs_per_cluster": [25]}
STRATEGIES = 4


def measured(sims: list[int], ten: list[int], cores: int) -> dict[str, Any]:
    """Run the studies one after the other, each in a folder of its own."""
    runs = []
    for cells, number in [*((45, n) for n in sims), *((10, n) for n in ten)]:
        config = without_audit(number) | ({"grid": TEN} if cells == 10 else {})
        with checkout(config) as here:
            used, _ = here.snakemake(cores=cores)
        fits = cells * number * STRATEGIES
        runs.append({"cells": cells, "sims": number, "fits": fits, **used._asdict()})
    return {"cores": cores, "runs": runs}


def describe(result: Mapping[str, Any]) -> list[str]:
    """Say in Markdown what was found."""
    body = [
        [
            f"{run['cells']} cells of {run['sims']:,} sims",
            f"{run['fits']:,}",
            digits(run["wall"]),
            digits(run["cpu"]),
            f"{1000 * run['cpu'] / run['fits']:.2f}",
            f"{run['peak'] / 2**30:.2f}",
        ]
        for run in result["runs"]
    ]
    head = ["study", "fits", "wall s", "CPU s", "CPU ms a fit", "largest process, GiB"]
    return [
        f"Whole studies through Snakemake on {result['cores']} cores, tables and figures "
        "included. The largest process may be Snakemake's own.",
        "",
        *markdown_table(head, body),
    ]


def main() -> None:
    """Measure, print the table and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sims", type=int, nargs="*", default=[100, 1000])
    parser.add_argument("--ten", type=int, nargs="*", default=[1000, 10_000])
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    result = measured(options.sims, options.ten, options.cores)
    print("\n".join(describe(result)))
    keep("scale", result)


if __name__ == "__main__":
    main()

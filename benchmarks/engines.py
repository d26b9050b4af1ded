"""The fits of the default study by several engines and by pymer4, beside each other in one run.

    python -m benchmarks.engines [--turns N] [--pymer4 PATH/TO/python]

The default engines and glmm fit all sims of all cells; slow ones fit a few sims of every cell,
others in every turn, and their seconds are scaled up to all sims. A fit is whole when it has
standard errors, degrees of freedom and p-values; data come as arrays, or as data frames to pymer4.
An engine that is not here, or whose fits fail, is left out and named: failing is no way to be fast.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import fits, mixedlm_engine
from benchmarks.measure import REPO, child, interleaved, keep, run
from benchmarks.words import digits
from clustrategy.core.errors import EngineError
from clustrategy.engines.chosen import Strategy, registry
from clustrategy.tables.markdown import markdown_table

Entry = Mapping[str, Any]
Contender = Callable[[int], dict[str, Any]]

STRATEGIES = ("cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept")
MIXED = STRATEGIES[2:]
DEFAULT, REFERENCE, PYMER4 = "default engines", "lmerTest and statsmodels", "pymer4's own loop"
SHARED = (fits.STATISTICS, fits.TABLES)

MOST_FAILED = 0.01
"""A contender of whose fits more than this share fail is none."""


def entries(names: Sequence[str], *engines: str) -> list[Entry]:
    """List each strategy by the first of some engines that it has, else by its default one."""
    known = registry()
    first = {name: next((e for e in engines if e in known[name]), None) for name in names}
    return [Strategy.parse(name, engine).spec for name, engine in first.items()]


def obstacle(chosen: Sequence[Entry]) -> str:
    """Return why these engines cannot run here, empty if they can."""
    try:
        for entry in chosen:
            Strategy.parse(entry).check()
    except EngineError as error:
        print(error, file=sys.stderr)
        return str(error)
    return ""


def fitting(chosen: Sequence[Entry], sims: int) -> Contender:
    """Fit the next few sims of every cell in each turn."""
    return lambda turn: child("fits", turn * sims, sims, json.dumps(chosen))


def looping(python: str) -> Contender:
    """Fit the next sim of every cell in each turn, as pymer4's users do."""

    def loop(turn: int) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "datasets.npz")
            write_datasets(file, turn)
            script = REPO / "benchmarks" / "pymer4_loop.py"
            said = run([python, str(script), str(file)])[1]
        return {"sims": 1, **json.loads(said.splitlines()[-1])}

    return loop


def write_datasets(file: Path, sim: int) -> None:
    """Write one sim of every cell for `benchmarks.pymer4_loop`."""
    import numpy as np

    from clustrategy.dgp import simulate

    study = fits.default_study()
    arrays: dict[str, Any] = {}
    for number, cell in enumerate(study.cells):
        shard = simulate(study.synthetic(cell), study.seed, cell, [sim]).shard
        arrays |= {f"y{number}": shard.y, f"X{number}": shard.X}
        arrays[f"cluster{number}"] = shard.cluster_codes(0)
    np.savez(file, **arrays)


def measured(turns: int, pymer4: str | None) -> dict[str, Any]:
    """Let all engines have their turns.

    Returns
    -------
    dict
        `turns`, `cells`, `sims`; the engines by strategy as `default` and `reference`; what was
        measured as `contenders`; and `left_out`, why others are none of them.
    """
    study = fits.default_study()
    default = entries(STRATEGIES)
    reference = entries(STRATEGIES, "lme4", "statsmodels")
    glmm, mixedlm = entries(MIXED, "glmm"), entries(MIXED, "mixedlm")
    contenders: dict[str, Contender] = {
        DEFAULT: lambda turn: child("fits", 0, study.sims, json.dumps(default)),
        REFERENCE: fitting(reference, 1),
        # glmm is near enough to the default engine for the choice of sims to show in the ratio.
        "glmm": lambda turn: child("fits", 0, study.sims, json.dumps(glmm)),
        "mixedlm": fitting(mixedlm, 1),
    }
    needed = {REFERENCE: reference, "glmm": glmm, "mixedlm": mixedlm}
    left_out = {name: why for name, chosen in needed.items() if (why := obstacle(chosen))}
    contenders = {name: run for name, run in contenders.items() if name not in left_out}
    if pymer4:
        contenders[PYMER4] = looping(pymer4)
    answers = interleaved(contenders, turns)
    found = {name: summarised(answers[name], study.sims) for name in contenders}
    for name, one in found.items():
        if one["failed"] > MOST_FAILED * one["fits"]:
            left_out[name] = f"{one['failed']:,} of {one['fits']:,} fits failed"
    if DEFAULT in left_out:
        sys.exit(f"{DEFAULT}: {left_out[DEFAULT]}")
    return {
        "turns": turns,
        "cells": len(study.cells),
        "sims": study.sims,
        "default": {entry["strategy"]: entry["engine"] for entry in default},
        "reference": {entry["strategy"]: entry["engine"] for entry in reference},
        "contenders": {name: one for name, one in found.items() if name not in left_out},
        "left_out": left_out,
    }


def summarised(turns: Sequence[Mapping[str, Any]], sims: int) -> dict[str, Any]:
    """Sum up the turns of a contender.

    Parameters
    ----------
    turns : Sequence of Mapping
        What each turn took.
    sims : int
        The sims of a cell to which the seconds are scaled.

    Returns
    -------
    dict
        `sims` of a cell that were fitted in each turn; the median `seconds` of each part; their
        median `total` of the fits and of what these share; how many `fits` there were and how many
        of them `failed`, in all turns; and the `versions` of what computed them.
    """
    few = turns[0]["sims"]
    scaled = [{part: t * sims / few for part, t in turn["seconds"].items()} for turn in turns]
    counted = [part for part in scaled[0] if part in (*STRATEGIES, *SHARED)]
    return {
        "sims": few,
        "seconds": {part: median(turn[part] for turn in scaled) for part in scaled[0]},
        "total": median(sum(turn[part] for part in counted) for turn in scaled),
        "fits": sum(turn["fits"] for turn in turns),
        "failed": sum(turn["failed"] for turn in turns),
        "versions": turns[0]["versions"],
    }


def describe(result: Mapping[str, Any]) -> list[str]:
    """Say in Markdown what was found."""
    fitted = result["cells"] * result["sims"] * len(STRATEGIES)
    failed = {n: one["failed"] for n, one in result["contenders"].items() if one["failed"]}
    by = {
        key: ", ".join(f"{name} by {engine}" for name, engine in result[key].items())
        for key in ("default", "reference")
    }
    return [
        f"All {fitted:,} fits of the default study ({result['cells']} cells of {result['sims']} "
        "sims, four strategies), each with standard errors, degrees of freedom and p-values. "
        f"Medians of {result['turns']} turns; contenders that fit only some sims of every cell "
        "fit others in every turn and are scaled up.",
        "",
        *_all_fits(result),
        "",
        f"Default engines: {by['default']}. lmerTest and statsmodels, through rpy2 and from "
        f"arrays: {by['reference']}. pymer4's own loop: Lm, Lm2 and Lmer on data frames. Versions: "
        f"{', '.join(f'{package} {number}' for package, number in versions(result).items())}.",
        "",
        "The mixed models alone:",
        "",
        *_mixed(result),
        "",
        "Where the CPU seconds of the default engines go, simulating and writing included:",
        "",
        *_parts(result["contenders"][DEFAULT]["seconds"]),
        *(f"\nFits by {name} that failed: {n}." for name, n in failed.items()),
        *(f"\nLeft out: {name}, {why}." for name, why in result["left_out"].items()),
    ]


def versions(result: Mapping[str, Any]) -> dict[str, str]:
    """Return the versions of all packages that computed fits."""
    ones = result["contenders"].values()
    return {package: number for one in ones for package, number in one["versions"].items()}


def _all_fits(result: Mapping[str, Any]) -> list[str]:
    base = result["contenders"][DEFAULT]["total"]
    each = result["cells"] * result["sims"]
    body = []
    for name in (DEFAULT, REFERENCE, PYMER4):
        one = result["contenders"].get(name)
        if one is None:
            said = "left out" if name in result["left_out"] else "not measured"
            body.append([name, said, *[""] * (len(STRATEGIES) + 2)])
            continue
        ms = [digits(1000 * one["seconds"][model] / each) for model in STRATEGIES]
        body.append(
            [name, f"{one['sims']}", *ms, digits(one["total"]), digits(one["total"] / base)]
        )
    head = [f"{model}, ms a fit" for model in STRATEGIES]
    return markdown_table(["", "sims of a cell in a turn", *head, "all fits, CPU s", "times"], body)


def _mixed(result: Mapping[str, Any]) -> list[str]:
    base = result["contenders"][DEFAULT]["seconds"]
    each = result["cells"] * result["sims"]
    body = []
    for name, one in result["contenders"].items():
        seconds = [one["seconds"][model] for model in MIXED]
        times = [t / base[model] for t, model in zip(seconds, MIXED, strict=True)]
        body.append(
            [name, *(digits(1000 * t / each) for t in seconds), *(digits(ratio) for ratio in times)]
        )
    head = [*(f"{model}, ms a fit" for model in MIXED), *(f"{model}, times" for model in MIXED)]
    return markdown_table(["", *head], body)


def _parts(seconds: Mapping[str, float]) -> list[str]:
    whole = sum(seconds.values())
    order = (fits.SIMULATE, fits.STATISTICS, *STRATEGIES, fits.TABLES, fits.PARQUET)
    body = [[part, f"{seconds[part]:.2f}", f"{seconds[part] / whole:.0%}"] for part in order]
    return markdown_table(["part", "CPU s", "share"], [*body, ["sum", f"{whole:.2f}", "100%"]])


def main() -> None:
    """Measure, print the tables and keep the result."""
    mixedlm_engine.register()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--pymer4", metavar="PYTHON", help="the Python that has pymer4")
    options = parser.parse_args()
    result = measured(options.turns, options.pymer4)
    print("\n".join(describe(result)))
    keep("engines", result)


if __name__ == "__main__":
    main()

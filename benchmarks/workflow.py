"""The default study through Snakemake, beside the same work in one process and a plain loop.

python -m benchmarks.workflow [--turns N] [--sims N] [--many N] [--cores N ...] [--before COMMIT]
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.checkout import checkout
from benchmarks.engines import STRATEGIES, entries
from benchmarks.measure import child, interleaved, keep, run
from benchmarks.words import digits
from clustrategy.tables.markdown import markdown_table

Seconds = dict[str, float]

LOOP = "plain loop, 1 core"
ONE = "one process: draws, fits, scores, shards"
TABLES = ("performance.parquet", "summary.csv")
START, NOTHING, DRAW, JOB = "-n", "nothing to be done", "figures alone", "a script job"
IMPORTS = ("numpy, pyarrow.parquet", "scipy.special", "pandas", "matplotlib.figure, seaborn")
MANY = 21


def without_audit(sims: int) -> dict[str, Any]:
    """Configure the default study, without its audit."""
    return {"sims": sims, "audit": None}


def whole(
    config: Mapping[str, Any], cores: int, commit: str | None = None
) -> Callable[[int], Seconds]:
    """Make a contender: the whole study, figures included, in a folder of its own every turn."""

    def study(turn: int) -> Seconds:
        with checkout(config, commit) as here:
            return here.snakemake(cores=cores)[0]._asdict()

    return study


def tables(sims: int, cores: int) -> Callable[[int], Seconds]:
    """Make a contender: the study with all its tables, and without figures and examples."""

    def study(turn: int) -> Seconds:
        with checkout(without_audit(sims)) as here:
            wanted = [f"results/three-ways/{name}" for name in TABLES]
            return here.snakemake("--", *wanted, cores=cores)[0]._asdict()

    return study


def one_process(sims: int) -> Callable[[int], Seconds]:
    """Make a contender: what `tables` puts together, made by one process without Snakemake."""
    command = [sys.executable, "-m", "benchmarks.one_process", str(sims)]
    return lambda turn: run(command)[0]._asdict()


def steps(config: Mapping[str, Any], cores: int) -> Seconds:
    """Measure the CPU of what a run does besides its jobs, and of its figures; count its jobs."""
    with checkout(config) as here:
        start, said = here.snakemake("-n")
        here.snakemake(cores=cores)
        nothing, _ = here.snakemake(cores=cores)
        for figures in here.folder.glob("results/*/figures"):
            shutil.rmtree(figures)
        _, drawn = here.snakemake("-n")
        draw, _ = here.snakemake(cores=cores)
    return {
        START: start.cpu,
        NOTHING: nothing.cpu,
        DRAW: draw.cpu,
        "jobs": _jobs(said),
        "jobs that draw": _jobs(drawn),
    }


def _jobs(said: str) -> int:
    """Count the jobs in what `snakemake -n` prints, without the target's own."""
    return int(re.findall(r"^\s*total\s+(\d+)", said, re.MULTILINE)[0]) - 1


def script_job(turn: int) -> Seconds:
    """Measure the CPU of a `script:` job that does nothing, Snakemake's part in it included."""

    def jobs(number: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "empty.py").write_text("open(snakemake.output[0], 'w').close()\n")
            Path(folder, "Snakefile").write_text(
                f"rule all:\n    input: expand('{{n}}.txt', n=range({number}))\n\n"
                "rule empty:\n    output: '{n}.txt'\n    script: 'empty.py'\n"
            )
            return run([sys.executable, "-m", "snakemake", "--cores", "2"], Path(folder))[0].cpu

    return {JOB: (jobs(MANY) - jobs(1)) / (MANY - 1)}


def imports(turn: int) -> Seconds:
    """Measure the CPU of imports, a bare Python's start taken off."""
    bare = run([sys.executable, "-c", "pass"])[0].cpu
    return {
        names: run([sys.executable, "-c", f"import {names}"])[0].cpu - bare for names in IMPORTS
    }


def fitting(turn: int, sims: int) -> Seconds:
    """Measure the CPU of simulating, fitting, making and writing tables, in one process."""
    answer = child("fits", 0, sims, json.dumps(entries(STRATEGIES)))
    return {"fits": sum(answer["seconds"].values())}


def measured(
    turns: int, sims: int, many: int, cores: list[int], before: str | None
) -> dict[str, Any]:
    """Let one process, the loop, the workflow and the parts of what it does have their turns."""
    config = without_audit(sims)
    runs: dict[str, Callable[[int], Seconds]] = {
        LOOP: lambda turn: run([sys.executable, "-m", "benchmarks.loop", str(sims)])[0]._asdict()
    }
    for number in cores:
        runs[f"workflow, {_cores(number)}"] = whole(config, number)
    if before is not None:
        runs[f"workflow at {before}, {_cores(max(cores))}"] = whole(config, max(cores), before)
    most = max(cores)
    runs[f"workflow with audit, {_cores(most)}"] = whole({"sims": sims}, most)
    parts: dict[str, Callable[[int], Seconds]] = {
        "steps": lambda turn: steps(config, max(cores)),
        "fits": lambda turn: fitting(turn, sims),
        "job": script_job,
        "imports": imports,
    }
    beside = {
        f"{name}, {number:,} sims a cell": contender
        for number in (sims, many)
        for name, contender in (
            (ONE, one_process(number)),
            (f"workflow with its tables, {_cores(most)}", tables(number, most)),
        )
    }
    answers = {n: _medians(a) for n, a in interleaved(runs | parts | beside, turns).items()}
    return {
        "turns": turns,
        "sims": sims,
        "most": f"workflow, {_cores(max(cores))}",
        "runs": {name: answers[name] for name in runs},
        "beside": {name: answers[name] for name in beside},
        "parts": {key: value for name in parts for key, value in answers[name].items()},
    }


def _cores(number: int) -> str:
    return f"{number} core{'s' * (number > 1)}"


def _medians(turns: list[Seconds]) -> Seconds:
    return {key: median(turn[key] for turn in turns) for key in turns[0]}


def describe(result: Mapping[str, Any]) -> list[str]:
    """Put what was found into Markdown."""
    base = result["runs"][LOOP]
    body = [
        [
            name,
            *(digits(used[kind]) for kind in ("cpu", "wall")),
            *(f"{used[kind] / base[kind]:.2f}" for kind in ("cpu", "wall")),
        ]
        for name, used in result["runs"].items()
    ]
    head = ["", "CPU s", "wall s", "CPU, times the loop", "wall, times the loop"]
    parts = result["parts"]
    imported = [[names, digits(1000 * parts[names])] for names in IMPORTS]
    pairs = list(result["beside"].items())
    one = [
        [name, digits(used["cpu"]), digits(used["wall"]), f"{used['cpu'] / base_of['cpu']:.2f}"]
        for k in range(0, len(pairs), 2)
        for name, used in pairs[k : k + 2]
        for base_of in (pairs[k][1],)
    ]
    return [
        "What the workflow costs beside the same draws, fits, scores and shards in one process: "
        "estimates, fits, scores, truth, performance and summary included, figures apart. Medians "
        f"of {result['turns']} turns.",
        "",
        *markdown_table(["", "CPU s", "wall s", "CPU, times one process"], one),
        "",
        f"The default study with {result['sims']} sims a cell: through Snakemake, all tables and "
        "figures included, and by a plain loop that fits one dataset after the other and writes "
        f"and draws nothing. Medians of {result['turns']} turns.",
        "",
        *markdown_table(head, body),
        "",
        f"Where the CPU seconds of '{result['most']}' go:",
        "",
        *_where(result["runs"][result["most"]]["cpu"], parts),
        "",
        "CPU milliseconds of imports, each alone, after Python's own start:",
        "",
        *markdown_table(["import", "CPU ms"], imported),
    ]


def _where(whole: float, parts: Mapping[str, float]) -> list[str]:
    """Table the parts of a run, and what none of them explains."""
    jobs = round(parts["jobs"] - parts["jobs that draw"])
    each = 1000 * parts[JOB], 1000 * parts[IMPORTS[0]]
    rows = {
        "simulate, fit, test and write tables, in one process": parts["fits"],
        "Snakemake's start and plan (snakemake -n)": parts[START],
        f"start of {jobs} script jobs, {digits(each[0])} ms each": jobs * parts[JOB],
        f"{IMPORTS[0]} in them, {digits(each[1])} ms each": jobs * parts[IMPORTS[0]],
        "figures, with the jobs that draw them": parts[DRAW] - parts[NOTHING],
    }
    rows["the rest: reading back, digests, scores, summary, examples"] = whole - sum(rows.values())
    body = [[name, digits(seconds), f"{seconds / whole:.0%}"] for name, seconds in rows.items()]
    return markdown_table(["part", "CPU s", "share"], [*body, ["sum", digits(whole), "100%"]])


def main() -> None:
    """Measure, print the tables and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--sims", type=int, default=50, help="of a cell")
    parser.add_argument("--many", type=int, default=1000, help="of a cell, beside one process")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--before", help="a commit whose workflow has its turns, too")
    options = parser.parse_args()
    result = measured(options.turns, options.sims, options.many, options.cores, options.before)
    print("\n".join(describe(result)))
    keep("workflow", result)


if __name__ == "__main__":
    main()

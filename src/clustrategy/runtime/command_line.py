"""Questions about a study that need no run of it."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from contextlib import suppress

from tabulate import tabulate

from clustrategy.core.errors import ConfigError
from clustrategy.evaluation.sample_size import sims_by_pilot, sims_for, sims_for_verdict
from clustrategy.runtime.sentence import one_sentence


def main(arguments: Sequence[str] | None = None) -> None:
    """Answer on the standard output; a user's error ends it with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m clustrategy", description=__doc__)
    commands = parser.add_subparsers(required=True)
    sims = commands.add_parser("sims", help="how many sims a number or a verdict takes")
    sims.add_argument("--mcse", type=_above_0(), help="the Monte Carlo standard error wanted")
    sims.add_argument(
        "--of", required=True, help="verdict, or a measure, such as coverage, bias or power"
    )
    sims.add_argument("--cells", type=int, help="of a verdict: the cells of the grid (1)")
    sims.add_argument(
        "--probability",
        type=_above_0(1),
        help="of a verdict: that what keeps its level is found safe in all cells (0.99)",
    )
    source = sims.add_mutually_exclusive_group()
    source.add_argument("--sd", type=_above_0(), help="standard deviation to be expected over sims")
    source.add_argument("--alpha", type=_above_0(1), default=0.05, help="level of the tests")
    source.add_argument("--pilot", help="performance.parquet of a pilot study")
    sims.set_defaults(answer=_sims)
    chosen = parser.parse_args(arguments)
    with one_sentence():
        answer = chosen.answer(chosen)
    print(answer)


def _above_0(end: float = math.inf) -> Callable[[str], float]:
    """Make a reader of numbers greater than 0 and less than an end."""
    where = "greater than 0" if end == math.inf else f"between 0 and {end}"

    def read(text: str) -> float:
        with suppress(ValueError):
            if 0 < (number := float(text)) < end:
                return number
        raise argparse.ArgumentTypeError(f"must be a number {where}, found {text!r}")

    return read


def _sims_of_verdict(cells: int, probability: float, alpha: float) -> str:
    sims = sims_for_verdict(cells, probability, alpha)
    where = "the one cell" if cells == 1 else f"all of {cells:,} cells"
    return (
        f"{sims:,} sims per cell for a strategy that keeps its level to be found safe in {where} "
        f"with probability {probability:g}"
    )


def _sims(chosen: argparse.Namespace) -> str:
    of_verdict = {name: getattr(chosen, name) for name in ("cells", "probability")}
    given = {name: value for name, value in of_verdict.items() if value is not None}
    if chosen.of == "verdict":
        for name in ("mcse", "sd", "pilot"):
            if getattr(chosen, name) is not None:
                raise ConfigError(f"--of verdict does not take --{name}")
        return _sims_of_verdict(**{"cells": 1, "probability": 0.99, **given}, alpha=chosen.alpha)
    if given:
        raise ConfigError(f"--of {chosen.of} does not take --{next(iter(given))}")
    if chosen.mcse is None:
        raise ConfigError(f"--of {chosen.of} needs --mcse, the Monte Carlo standard error wanted")
    goal = f"sims per cell for a Monte Carlo standard error of {chosen.mcse:g} of {chosen.of}"
    if chosen.pilot is None:
        return f"{sims_for(chosen.mcse, chosen.of, chosen.sd, chosen.alpha):,} {goal}"
    found = sims_by_pilot(chosen.mcse, chosen.of, chosen.pilot)
    head = ["strategy", "term", "worst cell", chosen.of, "mcse", "n", "sims"]
    body = [
        [*row[:3], f"{row.value:.4g}", f"{row.mcse:.2g}", f"{row.n:,}", f"{row.sims:,}"]
        for row in found
    ]
    sides = ("left", "left", "left", "right", "right", "right", "right")
    table = tabulate(body, head, tablefmt="simple", colalign=sides, disable_numparse=True)
    return f"{table}\n\n{max(row.sims for row in found):,} {goal}, by the worst of them"

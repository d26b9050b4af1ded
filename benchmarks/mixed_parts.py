"""CPU microseconds of the parts of fitting mixed models, and what they could not be less than.

Printed as JSON, for the designs of `draw_fit_test` and for the cells of the default study. The
seconds of functions inside a fit are those of cProfile, which adds little: a block of datasets is
worked on by few calls.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np

from benchmarks.draw_fit_test import DESIGNS
from benchmarks.fits import default_study
from benchmarks.mcpower_ours import BLOCK, process
from clustrategy.core.shard import Shard
from clustrategy.dgp import simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.mixed.covariance import Factor
from clustrategy.estimation.mixed.fit import blocks
from clustrategy.estimation.mixed.models import MAXIMAL
from clustrategy.estimation.mixed.optimizer import QuadraticModel, minimise
from clustrategy.estimation.mixed.reml import Criterion, Derivatives, Point
from clustrategy.study.blocks import ROWS

PARTS = ("draw", "triangles", "value", "derivatives", "rest")
COLUMNS = 2
"""What is read of a row: y and x."""

EFFECTS = {"level": "row", "icc": 0.2, "slope_variance": 0.25}
"""As in `draw_fit_test`."""

REPEATS = 5
STREAM = 8_000_000
"""Numbers whose sum takes as long as memory takes to give them."""


@dataclass(frozen=True)
class Counted(Criterion):
    """A criterion that keeps of how many datasets it was evaluated, each time.

    Attributes
    ----------
    evaluated : list of int
        Shared by all criteria that are made from this one.
    """

    evaluated: list[int]

    def at(self, factor: Factor) -> Point:
        """Evaluate the criterion, and count it."""
        self.evaluated.append(self.sims)
        return super().at(factor)


def maximal_blocks(shard: Shard) -> Iterator[Criterion]:
    """Yield the criterion of each block of datasets."""
    for _, criterion in blocks(shard, MAXIMAL, np.ones(shard.sims, dtype=bool)):
        yield criterion


def seconds(shard: Shard) -> dict[str, float]:
    """Time the parts of fitting a shard that has no triangles yet."""
    start = time.process_time()
    shard.triangles, shard.whole  # noqa: B018  (kept by the shard)
    triangles = time.process_time() - start
    profile = cProfile.Profile(time.process_time, builtins=False)
    start = time.process_time()
    profile.runcall(Strategy.parse("mixed_maximal").fit, shard)
    fit = time.process_time() - start
    inside = {entry.code: entry.totaltime for entry in profile.getstats()}
    value, derivatives = (inside[f.__code__] for f in (Criterion.at, Point.derivatives))
    rest = fit - value - derivatives
    return {"triangles": triangles, "value": value, "derivatives": derivatives, "rest": rest}


def evaluations(shard: Shard) -> float:
    """Count how often the criterion is evaluated for a dataset until its minimum is found."""
    evaluated: list[int] = []
    for criterion in maximal_blocks(shard):
        parts = {part.name: getattr(criterion, part.name) for part in fields(criterion)}
        minimise(Counted(**parts, evaluated=evaluated))
    return sum(evaluated) / shard.sims


def newton_pass(shard: Shard) -> dict[str, float]:
    """Time what one step of Newton's method needs, of all datasets, at their minima."""
    found = dict.fromkeys(("value", "derivatives", "model"), 0.0)
    for criterion in maximal_blocks(shard):
        point = minimise(criterion).point
        found["value"] += least(partial(point.criterion.at, point.factor))
        found["derivatives"] += least(point.derivatives)
        found["model"] += least(partial(model, point.derivatives()))
    return found


def model(derivatives: Derivatives) -> QuadraticModel:
    """Build the model that the next step follows from."""
    return QuadraticModel.of(*derivatives.by_theta())


def least(what: Callable[[], object]) -> float:
    """Return the least seconds of some repeats."""
    taken = []
    for _ in range(REPEATS):
        start = time.process_time()
        what()
        taken.append(time.process_time() - start)
    return min(taken)


def designs(turn: int) -> Iterator[dict[str, Any]]:
    """Yield the microseconds a dataset at each design, and of a dataset that is fitted alone."""
    numbers = np.ones(STREAM)
    a_byte = least(numbers.sum) / numbers.nbytes
    for name, (clusters, rows) in DESIGNS.items():
        drawn_by = process({**EFFECTS, "clusters": clusters, "rows": rows})
        sims, cell = min(BLOCK, ROWS // drawn_by.rows), {"clusters": clusters}
        start = time.process_time()
        shard = simulate(drawn_by, turn, cell, range(sims)).shard
        taken = {"draw": time.process_time() - start, **seconds(shard)}
        one = simulate(drawn_by, turn, cell, [0]).shard
        read = a_byte * drawn_by.rows * COLUMNS * numbers.itemsize
        yield {
            "design": name,
            "parts": {part: 1e6 * taken[part] / sims for part in PARTS},
            "evaluations": evaluations(shard),
            "read": 1e6 * read,
            "newton": 1e6 * sum(newton_pass(shard).values()) / sims,
            "sims": sims,
            "alone": 1e6 * least(partial(Strategy.parse("mixed_maximal").fit, one)),
        }


def in_the_study(turn: int) -> dict[str, float]:
    """Fit the default study's datasets, as many at once as it does.

    Returns
    -------
    dict
        The microseconds of `value` and `derivatives` a cluster and evaluation; `fits`, how many
        there were, and the `seconds` of all.
    """
    study = default_study()
    sims = range(turn * study.sims, (turn + 1) * study.sims)
    taken = dict.fromkeys(PARTS[1:], 0.0)
    evaluated = 0.0
    for cell in study.cells:
        shard = simulate(study.synthetic(cell), study.seed, cell, sims).shard
        found = seconds(shard)
        taken = {part: taken[part] + found[part] for part in taken}
        evaluated += evaluations(shard) * shard.sims * shard.clusters
    return {
        "value": 1e6 * taken["value"] / evaluated,
        "derivatives": 1e6 * taken["derivatives"] / evaluated,
        "fits": len(study.cells) * len(sims),
        "seconds": sum(taken.values()),
    }


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("turn", type=int, help="the seed of the designs' data")
    turn = parser.parse_args().turn
    warm_up = simulate(
        process({**EFFECTS, "clusters": 10, "rows": 10}), 0, {"clusters": 10}, range(10)
    ).shard
    Strategy.parse("mixed_maximal").fit(warm_up)
    print(json.dumps({"designs": list(designs(turn)), "study": in_the_study(turn)}))


if __name__ == "__main__":
    main()

"""CPU microseconds of the parts of fitting mixed models, and what they could not be less than.

Printed as JSON, for the designs of `draw_fit_test` and for the cells of the default study. The
criterion is watched in a fit of its own, and the rest is that of one which is not watched.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

import numpy as np

from benchmarks.draw_fit_test import DESIGNS
from benchmarks.fits import default_study
from benchmarks.mcpower_ours import BLOCK, process
from benchmarks.measure import Clock
from clustrategy.core.shard import Ints, Shard
from clustrategy.dgp import simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.mixed.covariance import Factor
from clustrategy.estimation.mixed.fit import blocks, fill
from clustrategy.estimation.mixed.models import MAXIMAL, blank_fits
from clustrategy.estimation.mixed.optimizer import QuadraticModel, minimise
from clustrategy.estimation.mixed.reml import Criterion, Derivatives, Point
from clustrategy.estimation.mixed.standard_errors import StandardErrors
from clustrategy.study.blocks import ROWS

PARTS = ("draw", "triangles", "value", "derivatives", "rest")
COLUMNS = 2
"""What is read of a row: y and x."""

EFFECTS = {"level": "row", "icc": 0.2, "slope_variance": 0.25}
"""As in `draw_fit_test`."""

REPEATS = 5
STREAM = 8_000_000
"""Numbers whose sum takes as long as memory takes to give them."""


@dataclass
class Watch:
    """What all criteria and points of a shard have in common.

    Attributes
    ----------
    clock : Clock
        The seconds of values and derivatives.
    evaluated : int
        Of how many datasets the criterion was evaluated, each time counted.
    """

    clock: Clock = field(default_factory=Clock)
    evaluated: int = 0


@dataclass(frozen=True)
class WatchedCriterion(Criterion):
    """A criterion whose evaluations are timed and counted, and those of all made from it."""

    watch: Watch

    def at(self, factor: Factor) -> Point:
        """Evaluate the criterion."""
        self.watch.evaluated += self.sims
        with self.watch.clock.part("value"):
            point = super().at(factor)
        return WatchedPoint(**parts_of(point), watch=self.watch)


@dataclass(frozen=True)
class WatchedPoint(Point):
    """A point whose derivatives are timed, and those of all made from it."""

    watch: Watch

    def derivatives(self) -> Derivatives:
        """Compute the derivatives."""
        with self.watch.clock.part("derivatives"):
            return super().derivatives()

    def take(self, sims: Ints) -> Point:
        """Return the point of some of the datasets."""
        return WatchedPoint(**parts_of(super().take(sims)), watch=self.watch)

    def put(self, sims: Ints, other: Point) -> Point:
        """Return the point with another one for some of the datasets."""
        return WatchedPoint(**parts_of(super().put(sims, other)), watch=self.watch)


def parts_of(one: Criterion | Point) -> dict[str, Any]:
    """Return the attributes of a criterion or a point by name."""
    kind = Criterion if isinstance(one, Criterion) else Point
    return {part.name: getattr(one, part.name) for part in fields(kind)}


def watched(shard: Shard) -> Watch:
    """Fit the maximal model with a watch on its criterion."""
    watch = Watch()
    fits = blank_fits(shard, MAXIMAL)
    errors = StandardErrors("satterthwaite", "model")
    for sims, criterion in blocks(shard, MAXIMAL, fits.status == "ok"):
        there = WatchedCriterion(**parts_of(criterion), watch=watch)
        fill(shard, sims, minimise(there), errors, fits)
    return watch


def seconds(shard: Shard) -> dict[str, float]:
    """Time the parts of fitting a shard that has no triangles yet, and count its `evaluated`."""
    clock = Clock()
    with clock.part("triangles"):
        shard.triangles, shard.whole  # noqa: B018  (kept by the shard)
    with clock.part("fit"):
        Strategy.parse("mixed_maximal").fit(shard)
    watch = watched(shard)
    inside = watch.clock.seconds
    rest = clock.seconds["fit"] - sum(inside.values())
    return {
        **inside,
        "triangles": clock.seconds["triangles"],
        "rest": rest,
        "evaluated": watch.evaluated,
    }


def newton_pass(shard: Shard) -> dict[str, float]:
    """Time what one step of Newton's method needs, of all datasets, at their minima."""
    found = dict.fromkeys(("value", "derivatives", "model"), 0.0)
    for _, criterion in blocks(shard, MAXIMAL, np.ones(shard.sims, dtype=bool)):
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
        draw = partial(simulate, drawn_by, turn, cell, range(sims))
        shard = draw().shard
        taken = {**seconds(shard), "draw": least(draw)}
        one = simulate(drawn_by, turn, cell, [0]).shard
        read = a_byte * drawn_by.rows * COLUMNS * numbers.itemsize
        yield {
            "design": name,
            "parts": {part: 1e6 * taken[part] / sims for part in PARTS},
            "evaluations": taken["evaluated"] / sims,
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
        evaluated += found["evaluated"] * shard.clusters
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

"""CPU seconds of simulating and fitting at the points of all curves, in one process.

Printed as JSON, a row for each point and engine. The points come in a random order, so that a
machine which slows down for a while bends no curve.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

from benchmarks.measure import Clock
from clustrategy.core.errors import EngineError
from clustrategy.core.shard import Shard
from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy, registry

SEED = 20190218
MIXED = ("mixed_maximal", "mixed_intercept")
ALL = ("cluster_robust", "two_stage", *MIXED)


class Curve(NamedTuple):
    """What grows, and where it is measured.

    Attributes
    ----------
    parameter : str
        `sims` or a parameter of the data-generating process.
    levels, few : tuple of int
        Its values, and those for lme4.
    strategies : tuple of str
        What is fitted. Only the default engine fits strategies that are no mixed models.
    """

    parameter: str
    levels: tuple[int, ...]
    few: tuple[int, ...]
    strategies: tuple[str, ...] = ALL


CURVES = {
    "sims": Curve("sims", (1, 2, 5, 10, 20, 50, 100, 200, 350, 500, 700, 1000), (1, 3, 10)),
    "clusters": Curve("clusters", (10, 20, 50, 100, 150, 250, 400, 600, 1000), (10, 100, 1000)),
    "observations per cluster": Curve(
        "obs_per_cluster", (5, 10, 25, 50, 75, 150, 300, 500, 1000), (5, 50, 500)
    ),
    "random effects": Curve(
        "predictors", (0, 1, 2, 3, 4, 5, 6, 7), (0, 1, 3), strategies=("mixed_maximal",)
    ),
}
# Datasets at a point of the other curves than that of the sims, by engine.
SIMS = {"glmm": 5, "lme4": 1}
SIMS_OF_DEFAULT = 20


class Point(NamedTuple):
    """A shard of datasets and what is fitted to it, and whether by the default engine."""

    curve: str
    level: int
    sims: int
    strategy: str
    engine: str
    default: bool

    @property
    def size(self) -> int:
        """The level as the curve counts it: random effects include that of the intercept."""
        return self.level + (CURVES[self.curve].parameter == "predictors")

    @property
    def data(self) -> tuple[str, int, int]:
        """What the datasets follow from."""
        return self.curve, self.level, self.sims

    def shard(self) -> Shard:
        """Draw the datasets."""
        size: dict[str, Any] = {"clusters": 30, "obs_per_cluster": 25, "predictors": 3}
        size |= {CURVES[self.curve].parameter: self.level}
        size.pop("sims", None)
        process = Process(
            **size,
            between_cluster_sigma=0.5,
            coefficients={"uniform": [0, 1]},
            residual_sigma=1.0,
        )
        return simulate(process, SEED, size, range(self.sims)).shard


def points() -> Iterator[Point]:
    """Yield all points of all curves that can be measured here."""
    for name, curve in CURVES.items():
        for strategy in curve.strategies:
            default, *others = registry()[strategy]
            for engine in (default, *sorted(SIMS.keys() & set(others))):
                try:
                    Strategy.parse(strategy, engine).check()
                except EngineError:
                    continue
                many = SIMS_OF_DEFAULT if engine == default else SIMS[engine]
                for level in curve.few if engine == "lme4" else curve.levels:
                    sims = level if curve.parameter == "sims" else many
                    yield Point(name, level, sims, strategy, engine, engine == default)


def timed(turn: int) -> Iterator[dict[str, Any]]:
    """Measure every point once."""
    known = sorted(points())
    for model in {(point.strategy, point.engine): point for point in known}.values():
        Strategy.parse(model.strategy, model.engine).fit(model._replace(sims=1).shard())
    shards = [list(group) for _, group in groupby(known, key=lambda point: point.data)]
    random.Random(turn).shuffle(shards)
    for group in shards:
        clock = Clock()
        with clock.part("simulate"):
            drawn = group[0].shard()
        for point in group:
            # What a shard keeps for all strategies is counted for each of them here.
            shard = Shard(drawn.y, drawn.X, drawn.n, drawn.terms)
            with clock.part(f"{point.strategy} {point.engine}"):
                Strategy.parse(point.strategy, point.engine).fit(shard)
            seconds = clock.seconds["simulate"] + clock.seconds[f"{point.strategy} {point.engine}"]
            yield {**point._asdict(), "size": point.size, "seconds": seconds}


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("turn", type=int, help="the seed of the order")
    print(json.dumps(list(timed(parser.parse_args().turn))))


if __name__ == "__main__":
    main()

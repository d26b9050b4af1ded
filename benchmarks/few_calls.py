"""CPU milliseconds a call of fitting one dataset or a few at once, in a process.

Printed as JSON, a row for each model, size and number of datasets, with the milliseconds of each
engine. The engines take turns from call to call, on the same datasets; a shard is made anew for
each, so that what a shard keeps is counted.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks.measure import Clock
from clustrategy.core.shard import Shard
from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy

SEED = 20190218
ENGINES = ("numpy", "glmm")
DATASETS = (1, 3, 10)


class Model(NamedTuple):
    """A model, and data from it.

    Attributes
    ----------
    name, strategy : str
    clusters, rows, predictors : int
    """

    name: str
    strategy: str
    clusters: int
    rows: int
    predictors: int

    @property
    def process(self) -> Process:
        """What the datasets come from: random effects and errors as in the default study."""
        return Process(
            clusters=self.clusters,
            obs_per_cluster=self.rows,
            predictors=self.predictors,
            between_cluster_sigma=0.5,
            coefficients={"uniform": [0, 1]},
            residual_sigma=1.0,
        )


MODELS = (
    Model("2 coefficients, intercept random", "mixed_intercept", 10, 10, 1),
    Model("2 coefficients, intercept random", "mixed_intercept", 30, 25, 1),
    Model("2 coefficients, all random", "mixed_maximal", 10, 10, 1),
    Model("2 coefficients, all random", "mixed_maximal", 30, 25, 1),
    Model("4 coefficients, intercept random", "mixed_intercept", 30, 25, 3),
    Model("4 coefficients, all random", "mixed_maximal", 30, 25, 3),
)


def timed(calls: int, first: int) -> Iterator[dict[str, Any]]:
    """Measure all models; each call has datasets of its own."""
    for model in MODELS:
        fits = {engine: Strategy.parse(model.strategy, engine).fit for engine in ENGINES}
        cell = {"clusters": model.clusters}
        for fit in fits.values():
            fit(simulate(model.process, SEED, cell, [0]).shard)
        for datasets in DATASETS:
            clock = Clock()
            for call in range(first, first + calls):
                sims = range(call * datasets, (call + 1) * datasets)
                drawn = simulate(model.process, SEED, cell, sims).shard
                for engine in ENGINES[:: -1 if call % 2 else 1]:
                    shard = Shard(drawn.y, drawn.X, drawn.n, drawn.terms)
                    with clock.part(engine):
                        fits[engine](shard)
            ms = {engine: 1000 * clock.seconds[engine] / calls for engine in ENGINES}
            yield {**model._asdict(), "datasets": datasets, "ms": ms}


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("calls", type=int)
    parser.add_argument("first", type=int, help="the number of the first call")
    options = parser.parse_args()
    print(json.dumps(list(timed(options.calls, options.first))))


if __name__ == "__main__":
    main()

"""CPU seconds of the parts of fitting some sims of the cells of a study, in a process.

Printed as JSON: the sims of a cell, the seconds of each part, how many fits there were, how many of
them gave no numbers, and the versions of the packages that computed them. What starts an engine up
(imports, R) is done before the clock runs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import mixedlm_engine
from benchmarks.measure import REPO, Clock
from clustrategy.dgp import simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.study.config import load
from clustrategy.study.study import Study
from clustrategy.tables.estimates import estimates_table, fits_table
from clustrategy.tables.files import write_parquet
from clustrategy.verification.studies import DEFAULT

SIMULATE, STATISTICS = "simulate", "sufficient statistics"
TABLES, PARQUET = "t tests and tables", "write Parquet"


class Timed(NamedTuple):
    """What fitting took.

    Attributes
    ----------
    clock : Clock
        The seconds of `SIMULATE`, `STATISTICS`, `TABLES`, `PARQUET` and each strategy, by label.
    fits, failed : int
        How many fits there were, and how many of them gave no numbers.
    """

    clock: Clock
    fits: int
    failed: int


def default_study() -> Study:
    """Return the study of config/config.yaml."""
    return Study.from_config(load(str(REPO / DEFAULT)))


def inference_study() -> Study:
    """Return the study of config/inference.yaml, over the default one as in Snakemake."""
    from snakemake.utils import update_config

    config = load(str(REPO / DEFAULT))
    update_config(config, load(str(REPO / "config/inference.yaml")))
    return Study.from_config(config)


def timed(
    strategies: Sequence[Strategy], sims: range, study: Study | None = None, every: int = 1
) -> Timed:
    """Fit some sims of every n-th cell, of the default study if none is named."""
    study = study or default_study()
    cell = study.cells[0]
    warm_up = simulate(study.synthetic(cell), study.seed, cell, [0]).shard
    for strategy in strategies:
        estimates_table(strategy.fit(warm_up), warm_up.terms, [0], "", "")
    clock, failed = Clock(), 0
    with tempfile.TemporaryDirectory() as folder:
        for cell in study.cells[::every]:
            with clock.part(SIMULATE):
                shard = simulate(study.synthetic(cell), study.seed, cell, sims).shard
            with clock.part(STATISTICS):
                shard.triangles  # noqa: B018  (kept by the shard)
            for strategy in strategies:
                with clock.part(strategy.label):
                    fits = strategy.fit(shard)
                names = (strategy.label, strategy.engine)
                with clock.part(TABLES):
                    estimates = estimates_table(fits, shard.terms, sims, *names)
                    glance = fits_table(fits, sims, *names)
                with clock.part(PARQUET):
                    write_parquet(estimates, Path(folder, "estimates.parquet"), {})
                    write_parquet(glance, Path(folder, "fits.parquet"), {})
                failed += int((~np.isfinite(fits.estimate).any(axis=1)).sum())
    return Timed(clock, len(study.cells[::every]) * len(sims) * len(strategies), failed)


def main() -> None:
    """Fit with the clock running and print what it says."""
    mixedlm_engine.register()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=int)
    parser.add_argument("sims", type=int)
    parser.add_argument("entries", type=json.loads, help="as in the config, in JSON")
    parser.add_argument("--inference", action="store_true", help="cells of the inference study")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every n-th cell alone")
    options = parser.parse_args()
    study = inference_study() if options.inference else default_study()
    sims = range(options.first, options.first + options.sims)
    strategies = [Strategy.parse(entry) for entry in options.entries]
    clock, fits, failed = timed(strategies, sims, study, options.every)
    answer = {
        "sims": len(sims),
        "seconds": clock.seconds,
        "fits": fits,
        "failed": failed,
        "versions": {key: v for one in strategies for key, v in one.versions.items()},
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

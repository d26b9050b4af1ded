"""CPU seconds of the parts of fitting some sims of every cell of the default study, in a process.

Printed as JSON: the sims of a cell, the seconds of each part, and how many fits ended with an
error. What starts an engine up (imports, R) is done before the clock runs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmarks import mixedlm_engine  # noqa: F401  (registers the engine)
from benchmarks.measure import REPO, Clock
from clustrategy.dgp import simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.study.study import Study
from clustrategy.tables.estimates import estimates_table, fits_table
from clustrategy.tables.files import write_parquet

SIMULATE, STATISTICS = "simulate", "sufficient statistics"
TABLES, PARQUET = "t tests and tables", "write Parquet"


def default_study() -> Study:
    """The study of config/config.yaml."""
    return Study.from_config(yaml.safe_load((REPO / "config/config.yaml").read_text()))


def timed(strategies: Sequence[Strategy], sims: range) -> tuple[Clock, int]:
    """Fit some sims of every cell; each part of the clock but the fixed four is a strategy."""
    study = default_study()
    cell = study.cells[0]
    warm_up = simulate(study.process(cell), study.seed, cell, [0]).shard
    for strategy in strategies:
        estimates_table(strategy.fit(warm_up), warm_up.terms, [0], "", "")
    clock, errors = Clock(), 0
    with tempfile.TemporaryDirectory() as folder:
        for cell in study.cells:
            with clock.part(SIMULATE):
                shard = simulate(study.process(cell), study.seed, cell, sims).shard
            with clock.part(STATISTICS):
                shard.triangles  # noqa: B018  (kept by the shard)
            for strategy in strategies:
                with clock.part(strategy.name):
                    fits = strategy.fit(shard)
                names = (strategy.label, strategy.engine)
                with clock.part(TABLES):
                    estimates = estimates_table(fits, shard.terms, sims, *names)
                    glance = fits_table(fits, sims, *names)
                with clock.part(PARQUET):
                    write_parquet(estimates, Path(folder, "estimates.parquet"), {})
                    write_parquet(glance, Path(folder, "fits.parquet"), {})
                errors += int((fits.status == "error").sum())
    return clock, errors


def main() -> None:
    """Fit with the clock running and print what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=int)
    parser.add_argument("sims", type=int)
    parser.add_argument("entries", type=json.loads, help="as in the config, in JSON")
    options = parser.parse_args()
    sims = range(options.first, options.first + options.sims)
    clock, errors = timed([Strategy.parse(entry) for entry in options.entries], sims)
    print(json.dumps({"sims": len(sims), "seconds": clock.seconds, "errors": errors}))


if __name__ == "__main__":
    main()

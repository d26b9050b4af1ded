"""The workflow beside a plain single-process loop over the same datasets, in one run.

    .venv/bin/python benchmarks/workflow_vs_loop.py [--sims N] [--cores N] [--engine lme4]

The loop is what one would write without this project: for every cell and sim draw the data, fit
each strategy to the one dataset, keep its scores. It writes no file and draws no figure. Absolute
times are this machine's, at this moment; the ratios are what to read.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

REPO = Path(__file__).parents[1]
WORKFLOW = ("Snakefile", "workflow", "scripts", "profiles", "config", "envs")


def loop(config: str) -> None:
    """Every fit of a study, one after the other in this process."""
    import numpy as np

    from clustrategy.dgp import simulate
    from clustrategy.inference import t_inference
    from clustrategy.scores import score
    from clustrategy.study import Study

    study = Study.from_config(yaml.safe_load(Path(config).read_text()))
    fits = 0
    total = np.zeros(3)
    for cell in study.cells:
        for sim in range(study.sims):
            drawn = simulate(study.process(cell), study.seed, cell, [sim])
            for strategy in study.strategies:
                fit = strategy.fit(drawn.shard)
                tests = t_inference(fit.estimate, fit.std_error, fit.df)
                total += np.nan_to_num(
                    score(
                        estimate=fit.estimate,
                        std_error=fit.std_error,
                        statistic=tests.statistic,
                        truth=drawn.truth,
                    )
                )[:, 0]
                fits += 1
    print(f"{fits} fits, sums {total}")


def measured(run: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds of the child processes and wall seconds of a call."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run()
    after, end = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, end - start


def main() -> None:
    """Run both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sims", type=int, default=50, help="sims a cell")
    parser.add_argument("--cores", type=int, default=2, help="for the workflow; the loop has one")
    parser.add_argument("--engine", choices=["glmm", "lme4"], default="glmm")
    parser.add_argument("--loop", metavar="CONFIG", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loop:
        loop(options.loop)
        return
    study = yaml.safe_load((REPO / "config/config.yaml").read_text())
    study |= {"sims": options.sims}
    if options.engine == "lme4":
        study |= yaml.safe_load((REPO / "config/lme4.yaml").read_text())
    environment = os.environ | {f"{lib}_NUM_THREADS": "1" for lib in ("OPENBLAS", "OMP", "MKL")}
    with tempfile.TemporaryDirectory() as folder:
        for part in WORKFLOW:
            source = REPO / part
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, Path(folder, part))
        Path(folder, "mine.yaml").write_text(yaml.safe_dump(study))

        def call(*command: str) -> None:
            subprocess.run(
                [sys.executable, *command],
                cwd=folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )

        results = {
            "plain loop, 1 core": measured(lambda: call(__file__, "--loop", "mine.yaml")),
            f"workflow, {options.cores} cores": measured(
                lambda: call(
                    *("-m", "snakemake", "--cores", str(options.cores)),
                    *("--configfile", "mine.yaml"),
                )
            ),
        }
    (base_cpu, base_wall), *_ = results.values()
    fits = 45 * options.sims * len(study["strategies"])
    print(f"{fits:,} fits, mixed models by {options.engine}\n")
    print("| | CPU s | wall s | CPU ratio | wall ratio |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (cpu, wall) in results.items():
        ratios = f"{cpu / base_cpu:.2f} | {wall / base_wall:.2f}"
        print(f"| {name} | {cpu:.1f} | {wall:.1f} | {ratios} |")


if __name__ == "__main__":
    main()

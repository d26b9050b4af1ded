"""The plain loop that one would write without this project, in a process of its own.

For every cell and sim of the default study it draws the data, fits each strategy to the one
dataset and keeps its scores. It writes no file and draws no figure.
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from benchmarks.fits import default_study
from clustrategy.core.inference import t_inference
from clustrategy.dgp import simulate
from clustrategy.evaluation.scores import score


def main() -> None:
    """Run the loop and print how many fits it made."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sims", type=int)
    sims = parser.parse_args().sims
    study = default_study()
    scores = []
    for cell in study.cells:
        for sim in range(sims):
            drawn = simulate(study.synthetic(cell), study.seed, cell, [sim])
            for strategy in study.strategies:
                fit = strategy.fit(drawn.shard)
                tests = t_inference(fit.estimate, fit.std_error, fit.df)
                scores.append(
                    score(
                        estimate=fit.estimate,
                        std_error=fit.std_error,
                        statistic=tests.statistic,
                        truth=drawn.truth,
                    )
                )
    print(json.dumps(np.hstack(scores).shape[1]))


if __name__ == "__main__":
    main()

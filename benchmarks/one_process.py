"""The default study's draws, fits, scores and shards, by one process and without Snakemake.

python -m benchmarks.one_process [sims]
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace

from benchmarks.fits import default_study
from clustrategy.study.shards import make


def main() -> None:
    """Make every block of the study in a folder that goes away afterwards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sims", type=int, help="of a cell")
    options = parser.parse_args()
    plan = replace(default_study(), sims=options.sims).plan
    with tempfile.TemporaryDirectory() as folder:
        for block in plan.blocks:
            make(plan.recipe, folder, block)


if __name__ == "__main__":
    main()

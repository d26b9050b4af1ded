from pathlib import Path

from clustrategy.runtime.job import job
from clustrategy.steps.worked_example import worked_example

with job(snakemake.log[0]):
    worked_example(
        snakemake.params.job,
        snakemake.params.strategies,
        Path(snakemake.output[0]).parent,
    )

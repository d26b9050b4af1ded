from pathlib import Path

from clustrategy.stages.job import job
from clustrategy.stages.worked_example import worked_example

with job(snakemake.log[0]):
    worked_example(
        snakemake.params.job,
        snakemake.params.strategies,
        Path(snakemake.output[0]).parent,
    )

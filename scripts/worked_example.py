from pathlib import Path

from clustrategy.runtime.job import job
from clustrategy.steps.worked_example import worked_example

with job(snakemake):
    worked_example(
        snakemake.params.seed,
        snakemake.params.dgp,
        snakemake.params.cell,
        snakemake.params.strategies,
        Path(snakemake.output[0]).parent,
        snakemake.params.strategies_from,
    )

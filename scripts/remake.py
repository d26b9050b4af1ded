from pathlib import Path

from clustrategy.runtime.job import job
from clustrategy.steps.remake import remake

with job(snakemake, pandas=False):
    remake(
        snakemake.params.study,
        snakemake.params.seed,
        snakemake.params.dgp,
        snakemake.params.strategies,
        Path(snakemake.output[0]).parent,
        snakemake.params.strategies_from,
    )

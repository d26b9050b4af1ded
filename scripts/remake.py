from pathlib import Path

from clustrategy.runtime.job import job
from clustrategy.steps.remake import remake

with job(snakemake.log[0], pandas=False):
    remake(snakemake.params.job, snakemake.params.strategies, Path(snakemake.output[0]).parent)

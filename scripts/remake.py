from pathlib import Path

from clustrategy.runtime.job import job
from clustrategy.steps.remake import remake

with job(snakemake, pandas=False):
    remake(snakemake.params.folder, Path(snakemake.output[0]).parent)

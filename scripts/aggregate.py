from clustrategy.runtime.job import job
from clustrategy.steps.aggregate import aggregate

with job(snakemake, pandas=False):
    aggregate(snakemake.params.folder, **dict(snakemake.output.items()))

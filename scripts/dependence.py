from clustrategy.runtime.job import job
from clustrategy.steps.dependence import dependence

with job(snakemake, pandas=False):
    dependence(snakemake.params.seed, table=snakemake.output.table)

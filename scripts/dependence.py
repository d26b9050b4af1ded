from clustrategy.runtime.job import job
from clustrategy.steps.dependence import dependence

with job(snakemake.log[0], pandas=False):
    dependence(snakemake.params.seed, table=snakemake.output.table)

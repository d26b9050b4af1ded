from clustrategy.stages.dependence import dependence
from clustrategy.stages.job import job

with job(snakemake.log[0], pandas=False):
    dependence(snakemake.params.seed, table=snakemake.output.table)

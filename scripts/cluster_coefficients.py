from clustrategy.stages.cluster_coefficients import cluster_coefficients
from clustrategy.stages.job import job

with job(snakemake.log[0], pandas=False):
    cluster_coefficients(
        snakemake.params.jobs, sims=snakemake.params.sims, table=snakemake.output.table
    )

from clustrategy.runtime.job import job
from clustrategy.steps.cluster_coefficients import cluster_coefficients

with job(snakemake.log[0], pandas=False):
    cluster_coefficients(
        snakemake.params.jobs, sims=snakemake.params.sims, table=snakemake.output.table
    )

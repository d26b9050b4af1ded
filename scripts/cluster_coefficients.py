from clustrategy.runtime.job import job
from clustrategy.steps.cluster_coefficients import cluster_coefficients

with job(snakemake, pandas=False):
    cluster_coefficients(
        snakemake.params.seed,
        snakemake.params.dgp,
        snakemake.params.cells,
        sims=snakemake.params.sims,
        table=snakemake.output.table,
    )

from clustrategy.stages.fit import fit_shard
from clustrategy.stages.job import job

with job(snakemake.log[0], pandas=False):
    fit_shard(
        snakemake.params.strategies,
        snakemake.params.digests,
        snakemake.params.sims,
        datasets=snakemake.input.datasets,
        estimates=snakemake.output.estimates,
        fits=snakemake.output.fits,
    )

from clustrategy.stages.fit import fit_shards
from clustrategy.stages.job import job

with job(snakemake.log[0], pandas=False):
    fit_shards(
        snakemake.params.strategies,
        snakemake.params.digests,
        datasets=snakemake.input.datasets,
        estimates=snakemake.output.estimates,
        fits=snakemake.output.fits,
    )

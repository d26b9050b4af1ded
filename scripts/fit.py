from clustrategy.runtime.job import job
from clustrategy.steps.fit import fit_shards

with job(snakemake.log[0], pandas=False):
    fit_shards(
        snakemake.params.strategies,
        snakemake.params.digests,
        datasets=snakemake.input.datasets,
        estimates=snakemake.output.estimates,
        fits=snakemake.output.fits,
    )

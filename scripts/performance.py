from clustrategy.runtime.job import job
from clustrategy.steps.performance import performance

with job(snakemake.log[0], pandas=False):
    performance(
        snakemake.params.job,
        estimates=snakemake.input.estimates,
        fits=snakemake.input.fits,
        truth=list(snakemake.input.truth),
        **dict(snakemake.output.items()),
    )

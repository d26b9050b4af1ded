from clustrategy.runtime.job import job
from clustrategy.steps.performance import write_performance

with job(snakemake.log[0], pandas=False):
    write_performance(
        snakemake.params.job,
        estimates=snakemake.input.estimates,
        fits=snakemake.input.fits,
        truth=list(snakemake.input.truth),
        **dict(snakemake.output.items()),
    )

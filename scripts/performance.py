from clustrategy.stages.job import job
from clustrategy.stages.performance import write_performance

with job(snakemake.log[0], pandas=False):
    write_performance(
        snakemake.params.job,
        estimates=snakemake.input.estimates,
        fits=snakemake.input.fits,
        truth=list(snakemake.input.truth),
        **dict(snakemake.output.items()),
    )

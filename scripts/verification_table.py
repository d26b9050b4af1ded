from clustrategy.runtime.job import job
from clustrategy.steps.verification import verify

with job(snakemake):
    verify(
        snakemake.params.configs,
        performance=snakemake.params.performance,
        estimates=snakemake.params.estimates,
        fits=snakemake.params.fits,
        **dict(snakemake.output.items()),
    )

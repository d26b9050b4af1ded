from clustrategy.runtime.job import job
from clustrategy.steps.verification_table import verification_table

with job(snakemake):
    verification_table(
        snakemake.params.configs,
        performance=snakemake.params.performance,
        estimates=snakemake.params.estimates,
        fits=snakemake.params.fits,
        **dict(snakemake.output.items()),
    )

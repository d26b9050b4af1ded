from clustrategy.runtime.job import job
from clustrategy.steps.performance import performance

with job(snakemake, pandas=False):
    performance(
        snakemake.params.folder,
        snakemake.params.settings,
        estimates=snakemake.input.estimates,
        fits=snakemake.input.fits,
        truth=snakemake.input.truth,
        **dict(snakemake.output.items()),
    )

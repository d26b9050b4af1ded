from clustrategy.runtime.job import job
from clustrategy.steps.verdicts import verdicts

with job(snakemake, pandas=False):
    verdicts(
        snakemake.params.folder,
        snakemake.params.settings,
        estimates=snakemake.input.estimates,
        fits=snakemake.input.fits,
        truth=snakemake.input.truth,
        **dict(snakemake.output.items()),
    )

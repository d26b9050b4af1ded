from clustrategy.runtime.job import job
from clustrategy.steps.power import power

with job(snakemake, pandas=False):
    power(
        snakemake.params.folder,
        snakemake.params.settings,
        estimates=snakemake.input.estimates,
        fits=snakemake.input.fits,
        truth=snakemake.input.truth,
        verdicts=snakemake.input.verdicts,
        **dict(snakemake.output.items()),
    )

from clustrategy.runtime.job import job
from clustrategy.steps.calibrated_choice import calibrated_choice

with job(snakemake, pandas=False):
    calibrated_choice(
        snakemake.params.folder,
        snakemake.params.settings,
        estimates=snakemake.input.estimates,
        fits=snakemake.input.fits,
        truth=snakemake.input.truth,
        verdicts=snakemake.input.verdicts,
        **dict(snakemake.output.items()),
    )

from clustrategy.runtime.job import job
from clustrategy.steps.placebo import placebo

with job(snakemake, pandas=False):
    placebo(
        snakemake.params.folder,
        snakemake.params.settings,
        **dict(snakemake.output.items()),
    )

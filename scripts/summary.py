from clustrategy.runtime.job import job
from clustrategy.steps.summary import summary

with job(snakemake, pandas=False):
    summary(
        scores=snakemake.input.scores,
        fits=snakemake.input.fits,
        summary=snakemake.output.summary,
        factors=snakemake.params.factors,
        strategies=snakemake.params.strategies,
        usable=snakemake.params.usable,
    )

from clustrategy.runtime.job import job
from clustrategy.steps.summary import summary

with job(snakemake, pandas=False):
    summary(
        scores=snakemake.input.scores,
        summary=snakemake.output.summary,
        factors=snakemake.params.factors,
        strategies=snakemake.params.strategies,
    )

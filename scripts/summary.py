from clustrategy.runtime.job import job
from clustrategy.steps.summary import summary

with job(snakemake.log[0], pandas=False):
    summary(
        scores=snakemake.input.scores,
        summary=snakemake.output.summary,
        **snakemake.params.job,
    )

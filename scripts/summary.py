from clustrategy.runtime.job import job
from clustrategy.steps.summary import summarise

with job(snakemake.log[0], pandas=False):
    summarise(
        scores=snakemake.input.scores,
        summary=snakemake.output.summary,
        **snakemake.params.job,
    )

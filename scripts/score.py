from clustrategy.runtime.job import job
from clustrategy.steps.score import score_shards

with job(snakemake.log[0], pandas=False):
    score_shards(
        estimates=snakemake.input.estimates,
        fits=snakemake.input.fits,
        truth=snakemake.input.truth,
        scores=snakemake.output.scores,
    )

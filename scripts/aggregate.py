from clustrategy.runtime.job import job
from clustrategy.steps.aggregate import aggregate

with job(snakemake.log[0], pandas=False):
    stages = ("estimates", "fits", "scores", "truth")
    shards = {stage: list(snakemake.input[stage]) for stage in stages}
    aggregate(snakemake.params.job, shards=shards, **dict(snakemake.output.items()))

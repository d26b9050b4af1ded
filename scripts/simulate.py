from clustrategy.runtime.job import job
from clustrategy.steps.simulate import simulate_shards

with job(snakemake.log[0], pandas=False):
    simulate_shards(
        snakemake.params.seed,
        snakemake.params.dgp,
        datasets=snakemake.output.datasets,
        truth=snakemake.output.truth,
    )

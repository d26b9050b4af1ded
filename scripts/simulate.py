from clustrategy.stages.job import job
from clustrategy.stages.simulate import simulate_shard

with job(snakemake.log[0], pandas=False):
    simulate_shard(
        snakemake.params.job,
        snakemake.params.sims,
        datasets=snakemake.output.datasets,
        truth=snakemake.output.truth,
    )

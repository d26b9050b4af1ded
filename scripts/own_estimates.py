from clustrategy.runtime.job import job
from clustrategy.steps.own_estimates import own_estimates

with job(snakemake):
    own_estimates(
        snakemake.params.folder,
        snakemake.params.data,
        **dict(snakemake.output.items()),
    )

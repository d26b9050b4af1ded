from clustrategy.stages.job import job
from clustrategy.stages.provenance import record

with job(snakemake.log[0]):
    record(
        snakemake.params.config,
        provenance=snakemake.output.provenance,
    )

from clustrategy.stages.job import job
from clustrategy.stages.provenance import record

with job(snakemake.log[0]):
    record(
        snakemake.params.config,
        snakemake.params.audit,
        provenance=snakemake.output.provenance,
    )

from clustrategy.runtime.job import job
from clustrategy.steps.provenance import record

with job(snakemake.log[0]):
    record(
        snakemake.params.config,
        snakemake.params.audit,
        provenance=snakemake.output.provenance,
    )

from clustrategy.runtime.job import job
from clustrategy.steps.audit_shards import audit_shards

with job(snakemake, pandas=False):
    audit_shards(
        snakemake.wildcards.pack,
        folder=snakemake.params.folder,
        receipt=snakemake.output.receipt,
    )

from clustrategy.runtime.job import job
from clustrategy.steps.audit_table import audit_table

with job(snakemake.log[0]):
    audit_table(snakemake.input.shards, **dict(snakemake.output.items()))

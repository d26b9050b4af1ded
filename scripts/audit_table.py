from clustrategy.runtime.job import job
from clustrategy.steps.audit_table import audit_table

with job(snakemake):
    audit_table(snakemake.params.folder, **dict(snakemake.output.items()))

from clustrategy.runtime.job import job
from clustrategy.steps.audit_verdict import audit_verdict

with job(snakemake.log[0]):
    audit_verdict(snakemake.params.job, table=snakemake.input.table, text=snakemake.output.text)

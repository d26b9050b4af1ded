from clustrategy.runtime.job import job
from clustrategy.steps.audit_verdict import audit_verdict

with job(snakemake):
    audit_verdict(
        snakemake.params.circumstances, table=snakemake.input.table, text=snakemake.output.text
    )

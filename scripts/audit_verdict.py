from clustrategy.runtime.job import job
from clustrategy.steps.audit_report import report

with job(snakemake.log[0]):
    report(snakemake.input.table, **snakemake.params.job, text=snakemake.output.text)

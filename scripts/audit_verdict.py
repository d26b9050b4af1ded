from clustrategy.stages.audit_report import report
from clustrategy.stages.job import job

with job(snakemake.log[0]):
    report(snakemake.input.table, **snakemake.params.job, text=snakemake.output.text)

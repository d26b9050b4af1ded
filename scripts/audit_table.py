from clustrategy.runtime.job import job
from clustrategy.steps.audit_report import gather

with job(snakemake.log[0]):
    gather(snakemake.input.shards, **dict(snakemake.output.items()))

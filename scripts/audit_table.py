from clustrategy.stages.audit_report import gather
from clustrategy.stages.job import job

with job(snakemake.log[0]):
    gather(snakemake.input.shards, **dict(snakemake.output.items()))

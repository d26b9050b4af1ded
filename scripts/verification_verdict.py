from clustrategy.stages.job import job
from clustrategy.stages.verification import report

with job(snakemake.log[0]):
    report(snakemake.input.table, snakemake.output.text)

from clustrategy.stages.job import job
from clustrategy.stages.student import extract

with job(snakemake.log[0]):
    extract(snakemake.input.archive, snakemake.output.table, snakemake.params.settings)

from clustrategy.stages.job import job
from clustrategy.stages.student import student_table

with job(snakemake.log[0]):
    student_table(snakemake.input.archive, snakemake.output.table, snakemake.params.settings)

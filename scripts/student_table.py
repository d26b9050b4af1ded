from clustrategy.steps.student_table import student_table

from clustrategy.runtime.job import job

with job(snakemake.log[0]):
    student_table(snakemake.input.archive, snakemake.output.table, snakemake.params.settings)

from clustrategy.runtime.job import job
from clustrategy.steps.student_table import student_table

with job(snakemake):
    student_table(snakemake.input.archive, snakemake.output.table, snakemake.params.settings)

from clustrategy.runtime.job import job
from clustrategy.steps.student_example import student_example

with job(snakemake):
    student_example(
        snakemake.input.table,
        snakemake.params.settings,
        snakemake.params.options,
        table=snakemake.output.table,
        text=snakemake.output.text,
        figures=[snakemake.output.png, snakemake.output.pdf],
    )

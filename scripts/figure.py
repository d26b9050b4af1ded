from clustrategy.runtime.job import job
from clustrategy.steps.figure import figure

with job(snakemake.log[0]):
    figure(
        snakemake.wildcards.name,
        snakemake.params.job,
        tables=snakemake.input.tables,
        files=[snakemake.output.png, snakemake.output.pdf],
    )

from clustrategy.runtime.job import job
from clustrategy.steps.figure import figure

with job(snakemake):
    figure(
        snakemake.wildcards.name,
        snakemake.params.settings,
        tables=snakemake.input.tables,
        files=list(snakemake.output),
    )

from clustrategy.runtime.job import job
from clustrategy.steps.verification_figure import verification_figure

with job(snakemake):
    verification_figure(snakemake.input.table, snakemake.params.options, list(snakemake.output))

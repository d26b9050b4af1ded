from clustrategy.figures.registry import draw
from clustrategy.runtime.job import job

with job(snakemake.log[0]):
    draw(
        snakemake.wildcards.name,
        snakemake.input.tables,
        [snakemake.output.png, snakemake.output.pdf],
        **snakemake.params.job,
    )

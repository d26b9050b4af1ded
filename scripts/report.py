from clustrategy.runtime.job import job
from clustrategy.steps.report import report

with job(snakemake, pandas=False):
    report(
        snakemake.params.folder,
        snakemake.params.config,
        snakemake.params.remake,
        verdicts=snakemake.input.verdicts,
        fits=snakemake.input.fits,
        svg=snakemake.input.svg,
        png=snakemake.input.png,
        audit=snakemake.input.audit,
        provenance=snakemake.input.provenance,
        cite=snakemake.params.citation,
        page=snakemake.output.page,
        own=snakemake.params.own,
    )

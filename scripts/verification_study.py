from clustrategy.runtime.job import job
from clustrategy.steps.verification_study import verification_study

with job(snakemake):
    verification_study(
        snakemake.params.snakefile,
        list(snakemake.input.over),
        list(snakemake.output),
        study=f"{snakemake.wildcards.form}-{snakemake.wildcards.part}",
        cores=snakemake.threads,
        log=snakemake.log[0],
    )

from clustrategy.runtime.job import job
from clustrategy.steps.provenance import provenance

with job(snakemake):
    provenance(
        snakemake.params.config,
        snakemake.params.audit,
        provenance=snakemake.output.provenance,
    )

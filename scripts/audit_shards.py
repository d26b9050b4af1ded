from clustrategy.runtime.job import job
from clustrategy.steps.audit_shards import audit_shards

with job(snakemake.log[0]):
    audit_shards(
        snakemake.params.job,
        estimates=snakemake.input.estimates,
        fits=snakemake.input.fits,
        audits=snakemake.output.audits,
    )

from clustrategy.stages.audit import audit_shards
from clustrategy.stages.job import job

with job(snakemake.log[0]):
    audit_shards(
        snakemake.params.job,
        estimates=snakemake.input.estimates,
        fits=snakemake.input.fits,
        audits=snakemake.output.audits,
    )

from clustrategy.runtime.job import job
from clustrategy.steps.scenarios import scenarios

with job(snakemake, pandas=False):
    scenarios(snakemake.params.folder, scenarios=snakemake.output.scenarios)

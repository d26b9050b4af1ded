from clustrategy.runtime.job import job
from clustrategy.steps.simulate_fit_score import simulate_fit_score

with job(snakemake, pandas=False):
    simulate_fit_score(
        snakemake.wildcards.pack,
        folder=snakemake.params.folder,
        receipt=snakemake.output.receipt,
    )

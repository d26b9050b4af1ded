from clustrategy.figures.parts.files import quiet, read_table, save
from clustrategy.figures.verification import verification
from clustrategy.runtime.job import job

with job(snakemake), quiet():
    table = read_table(snakemake.input.table)
    save(verification(table, snakemake.params.options), list(snakemake.output))

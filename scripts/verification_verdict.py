import sys
from pathlib import Path

from clustrategy.runtime.job import job
from clustrategy.steps.verification import report

with job(snakemake):
    report(snakemake.input.table, snakemake.output.text)
    print("\n" + Path(snakemake.output.text).read_text(encoding="utf-8"), file=sys.stderr)

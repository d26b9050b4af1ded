import sys
from pathlib import Path

from clustrategy.runtime.job import job
from clustrategy.steps.verification_verdict import verification_verdict

with job(snakemake):
    verification_verdict(snakemake.input.table, snakemake.output.text)
    print("\n" + Path(snakemake.output.text).read_text(encoding="utf-8"), file=sys.stderr)

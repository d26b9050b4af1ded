"""Snakemake's command line in forks of one process that has imported it: a run without its start.

Reads a JSON line for each run on its standard input (`folder`, `arguments`, `output`) and answers
each with the exit code. Jobs are processes of their own, as ever.
"""

from __future__ import annotations

import json
import os
import sys

import pandas  # noqa: F401  (Snakemake asks for it)
import pyarrow.parquet  # noqa: F401
import snakemake.cli

from clustrategy.core.sources import PACKAGE, code_digest
from clustrategy.engines.chosen import registry


def serve() -> None:
    """Fork for every line, and wait for the fork."""
    registry()
    code_digest(sorted(PACKAGE.rglob("*.py")))
    for line in sys.stdin:
        wanted = json.loads(line)
        fork = os.fork()
        if fork == 0:
            run(**wanted)
        _, status = os.waitpid(fork, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(folder: str, arguments: list[str], output: str) -> None:
    """Be `python -m snakemake` in a folder; does not return."""
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.chdir(folder)
    sys.argv = ["snakemake", *arguments]
    code: object = 1
    try:
        snakemake.cli.main(arguments)
        code = 0
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code or 0) if isinstance(code, int | None) else 1)


if __name__ == "__main__":
    serve()

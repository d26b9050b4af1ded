"""Run one of the verification's studies by a call of Snakemake of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from clustrategy.core.errors import DataError


def verification_study(
    snakefile: str,
    configs: Sequence[str],
    tables: Sequence[str],
    *,
    study: str,
    cores: int,
    log: str,
) -> None:
    """Make the tables of a study, as far as they are not good already.

    Parameters
    ----------
    snakefile : str
        The workflow.
    configs : Sequence of str
        The config files that are laid over the default one.
    tables : Sequence of str
        The files to make.
    study : str
        The name of the study.
    cores : int
        How many it may use.
    log : str
        The file for what Snakemake says.

    Raises
    ------
    DataError
        Where the run fails.
    """
    command = [sys.executable, "-m", "snakemake", "--snakefile", snakefile, "--cores", str(cores)]
    command += ["--configfile", *configs, "--config", f"study={study}", "--", *tables]
    with open(log, "w", encoding="utf-8") as said:
        code = subprocess.run(command, stdout=said, stderr=subprocess.STDOUT).returncode
    if code != 0:
        with open(log, encoding="utf-8") as said:
            last = [line for line in said.read().splitlines() if line.startswith("clustrategy:")]
        raise DataError(f"{study}: {last[-1] if last else f'Snakemake failed, see {log}'}")

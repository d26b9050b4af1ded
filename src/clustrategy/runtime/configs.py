"""Which config files a run begins with, and what else it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clustrategy.runtime.sentence import one_sentence
from clustrategy.study.config import load


def config_file(path: str, beside: object) -> str:
    """Return the path of a config file; the process ends with one sentence if it is not readable.

    Parameters
    ----------
    path : str
        The file in the current folder; where there is none, the one beside the Snakefile counts.
    beside : object
        The folder of the Snakefile, as Snakemake gives it.
    """
    if not Path(path).exists():
        path = str(Path(str(beside), path))
    with one_sentence():
        load(path)
    return path


def is_asked_for(word: str, config: Mapping[str, Any]) -> bool:
    """Say whether a part of the workflow is named on the command line, or in the config.

    What few runs need is loaded by those alone: the example on real data, and the verification.
    """
    return word in config or any(word in argument for argument in sys.argv[1:])

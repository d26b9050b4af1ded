"""Which config files a run begins with, and what else it is asked for."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from clustrategy.core.errors import ConfigError
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


def check_files(paths: Iterable[str]) -> None:
    """Read config files; the process ends with one sentence if one of them is not as it should be.

    What is no file, such as a pipe, can be read once, and Snakemake does that.
    """
    with one_sentence():
        for path in paths:
            if os.path.isfile(path) or os.path.isdir(path) or not os.path.exists(path):
                load(path)


def check_arguments(arguments: Sequence[str]) -> None:
    """Check the config that Snakemake's command line gives, before Snakemake reads it.

    Parameters
    ----------
    arguments : sequence of str
        Of the command line.
    """
    from snakemake.cli import parse_config

    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", action="extend", default=[])
    parser.add_argument("--config", "-C", nargs="*", action="extend", default=[])
    known, _ = parser.parse_known_args(arguments)
    check_files(known.configfile)
    with one_sentence():
        try:
            parse_config(known.config)
        except (ValueError, AssertionError) as error:
            reason = str(error).removeprefix("Invalid config definition: ")
            raise ConfigError(f"--config: {reason or 'is not name=value'}") from None


def is_asked_for(word: str, config: Mapping[str, Any]) -> bool:
    """Say whether a part of the workflow is named on the command line, or in the config.

    What few runs need is loaded by those alone: the example on real data, and the verification.
    """
    return word in config or any(word in argument for argument in sys.argv[1:])

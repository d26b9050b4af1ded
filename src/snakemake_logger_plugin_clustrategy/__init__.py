"""Snakemake's log by Rich, and before it what is wrong with the config that a run is given.

Snakemake reads the config files of its command line before the Snakefile, and says neither file nor
line of one that is broken. A log handler is made before that, so here is the place to say it.
"""

from __future__ import annotations

import sys

from snakemake_logger_plugin_rich import LogHandler as RichLogHandler

from clustrategy.runtime.configs import check_arguments


class LogHandler(RichLogHandler):
    """Rich's handler, made once the command line's config has been found to be readable."""

    def __post_init__(self) -> None:
        """Check the config, and make the handler."""
        check_arguments(sys.argv[1:])
        super().__post_init__()

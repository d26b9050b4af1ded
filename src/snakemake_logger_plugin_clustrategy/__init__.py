"""Snakemake's log by Rich, and before it what is wrong with the config that a run is given.

Snakemake reads the config files of its command line before the Snakefile, and says neither file nor
line of one that is broken. A log handler is made before that, so here is the place to say it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from logging import LogRecord

from rich.console import Group
from rich.panel import Panel
from rich.progress import Progress
from rich.text import Text
from snakemake_logger_plugin_rich import LogHandler as RichLogHandler

from clustrategy.runtime.configs import check_arguments
from clustrategy.runtime.progress import SAID


class _Shown:
    """Rich's bars, and below them how far the run is."""

    def __init__(self, bars: Progress, said: Callable[[], str]) -> None:
        self._bars = bars
        self._said = said

    def __rich__(self) -> Panel:
        words = Text(self._said(), style="bold")
        return Panel(Group(self._bars, words), title="Progress", border_style="dim")


class LogHandler(RichLogHandler):
    """Rich's handler, made once the command line's config has been found to be readable."""

    def __post_init__(self) -> None:
        """Check the config, and make the handler."""
        check_arguments(sys.argv[1:])
        super().__post_init__()

    def emit(self, record: LogRecord) -> None:
        """Hand a record on; that of a run's beginning says how the run will speak of itself."""
        said = getattr(record, SAID, None)
        if said is not None:
            self.live_display.update(_Shown(self.progress, said))
        super().emit(record)

    def handleError(self, record: LogRecord) -> None:
        """Pass over the log of a job that was stopped before it had one."""
        if not isinstance(sys.exception(), FileNotFoundError):
            super().handleError(record)

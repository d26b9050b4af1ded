"""What a run says of itself, beside Snakemake's own words."""

from __future__ import annotations

import logging
import sys

PARTS = 10


class Progress(logging.Filter):
    """Reads Snakemake's log records on their way.

    Where there is no terminal for progress bars, it prints a line at every tenth part of the run.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        done, total = getattr(record, "done", None), getattr(record, "total", None)
        if done is not None and total and not sys.stderr.isatty():
            tenth = PARTS * done // total
            if tenth > self._said:
                self._said = tenth
                print(f"{done} of {total} steps done ({100 * done // total} %)", file=sys.stderr)
        return True

"""What a run may be asked for, and what was meant by a target that is none."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from pathlib import PurePath

from clustrategy.core.errors import nearest

TARGETS = ("all", "audit", "student", "verify", "verify_short")
"""The rules that are asked for by name; further targets are files."""

_MISSING = re.compile(r"No rule to produce (.+?) \(if you use input functions")


class MissingTarget(logging.Filter):
    """Says which target was meant where Snakemake has no rule for one.

    Parameters
    ----------
    files : callable
        Gives the files that can be asked for.
    """

    def __init__(self, files: Callable[[], Sequence[str]]) -> None:
        super().__init__()
        self._files = files

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, that of a missing rule in our words."""
        if getattr(record, "exception", None) == "MissingRuleException":
            found = _MISSING.search(record.getMessage())
            if found is not None:
                record.msg, record.args = self.said(found[1]), ()
        return True

    def said(self, target: str) -> str:
        """Say that there is no such target, and which is nearest."""
        hint = nearest(target, TARGETS)
        if "/" in target:
            folder, _, name = target.rpartition("/")
            files = [PurePath(file) for file in self._files()]
            hint = nearest(name, [file.name for file in files if str(file.parent) == folder])
        return (
            f"clustrategy: there is no target {target!r}{hint}; targets are "
            f"{', '.join(TARGETS)} and files of the results"
        )

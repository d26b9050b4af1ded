"""One run of a study at a time."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock, Timeout

from clustrategy.core.errors import ConfigError

FILE = ".lock"

# Held until the process ends, however it ends: the operating system lets go of it.
_held: list[FileLock] = []


def hold(folder: str) -> None:
    """Claim a study's folder for this run.

    Raises
    ------
    ConfigError
        Where another run of the study is still going.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    lock = FileLock(Path(folder, FILE))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise ConfigError(f"{folder}: another run of this study is going on; wait for it") from None
    _held.append(lock)
    os.utime(Path(folder, FILE))


def start_of_run(folder: str) -> float:
    """Return when the last run of a study began, in seconds since the epoch."""
    return Path(folder, FILE).stat().st_mtime

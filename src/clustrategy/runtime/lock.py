"""One run of a study at a time."""

from __future__ import annotations

import math
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
    lock = FileLock(Path(folder, FILE))
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
        os.utime(Path(folder, FILE))
    except Timeout:
        raise ConfigError(f"{folder}: another run of this study is going on; wait for it") from None
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written to ({error.strerror})") from None
    _held.append(lock)


def start_of_run(folder: str) -> float:
    """Return when the last run of a study began, in seconds since the epoch; infinite if none."""
    lock = Path(folder, FILE)
    return lock.stat().st_mtime if lock.exists() else math.inf

"""What surrounds the script of a job: its log, and one sentence where it fails."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow

from clustrategy.core.errors import ClustrategyError


@contextmanager
def job(log: str | Path, *, pandas: bool = True) -> Iterator[None]:
    """Run a job's body; what goes wrong stands in its log, a user's error on one line alone.

    Parameters
    ----------
    log : the job's log file.
    pandas : whether pyarrow is to know of pandas. It would import it at the first array it sees,
        which costs more than the statistics of many a job.
    """
    if not pandas:
        _hide_pandas_from_pyarrow()
    try:
        yield
    except ClustrategyError as error:
        sentence = f"clustrategy: {error}"
        Path(log).write_text(sentence + "\n", encoding="utf-8")
        sys.exit(sentence)
    except Exception:
        Path(log).write_text(traceback.format_exc(), encoding="utf-8")
        raise


class _NoPandas:
    """A finder of modules that finds no pandas."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _hide_pandas_from_pyarrow() -> None:
    """Let pyarrow look for pandas, which it does once, while there is none to find."""
    finder: Any = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pyarrow.array([])
    finally:
        sys.meta_path.remove(finder)

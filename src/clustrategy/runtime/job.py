"""What surrounds the script of a job: its log, its receipt, and one sentence where it fails."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow

from clustrategy.core.errors import ClustrategyError
from clustrategy.runtime.receipts import write_receipt


@contextmanager
def job(snakemake: Any, *, pandas: bool = True) -> Iterator[None]:
    """Run a job's body; what goes wrong stands in its log, a user's error on one line alone.

    Parameters
    ----------
    snakemake : object
        What Snakemake hands to a script. Where its params have `made_from`, the job leaves a
        receipt.
    pandas : bool
        Whether pyarrow is to know of pandas. It would import it at the first array it sees,
        which costs more than the statistics of many a job.
    """
    log = Path(snakemake.log[0])
    if not pandas:
        _hide_pandas_from_pyarrow()
    try:
        yield
        made_from = snakemake.params.get("made_from")
        if made_from is not None:
            write_receipt(log, made_from, map(str, snakemake.output))
    except ClustrategyError as error:
        sentence = f"clustrategy: {error}"
        log.write_text(sentence + "\n", encoding="utf-8")
        sys.exit(sentence)
    except Exception:
        log.write_text(traceback.format_exc(), encoding="utf-8")
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

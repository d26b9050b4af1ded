"""Where the workflow is: beside the package in a checkout, inside it once installed."""

from __future__ import annotations

from pathlib import Path

from clustrategy.core.errors import EngineError
from clustrategy.core.sources import PACKAGE

INSTALLED = PACKAGE / "workflow_files"
"""Where the build puts the Snakefile and what it needs."""

CHECKOUT = PACKAGE.parents[1]


def workflow_folder() -> Path:
    """Return the folder that holds the Snakefile.

    Raises
    ------
    EngineError
        Where there is none.
    """
    for folder in (INSTALLED, CHECKOUT):
        if (folder / "Snakefile").is_file():
            return folder
    raise EngineError(
        "the workflow is not where this installation should have it; install clustrategy again"
    )

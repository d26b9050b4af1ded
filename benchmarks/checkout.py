"""A study through Snakemake, in a folder that holds the workflow and no results yet."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measure import REPO, Usage, run

WORKFLOW = ("Snakefile", "workflow", "scripts", "profiles", "config", "envs")
MINE = "config/mine.yaml"


class Checkout:
    """A folder in which Snakemake is started.

    Parameters
    ----------
    folder : Path
        The folder of the workflow.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def snakemake(self, *arguments: str, cores: int = 2) -> tuple[Usage, str]:
        """Run the study, or what else the arguments say; also return what Snakemake printed."""
        command = (sys.executable, "-m", "snakemake", "--cores", str(cores), "--configfile", MINE)
        return run([*command, *arguments], self.folder)


@contextmanager
def checkout(config: Mapping[str, Any]) -> Iterator[Checkout]:
    """Make a checkout that goes away afterwards.

    Parameters
    ----------
    config : Mapping
        What differs from config/config.yaml.
    """
    with tempfile.TemporaryDirectory() as folder:
        for part in WORKFLOW:
            source = REPO / part
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, Path(folder, part))
        Path(folder, MINE).write_text(yaml.safe_dump(dict(config)))
        yield Checkout(Path(folder))

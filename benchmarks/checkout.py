"""A study through Snakemake, in a folder that holds the workflow and no results yet."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
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
    package : Path, optional
        Where the package is, if it is not the one that runs the benchmark.
    """

    def __init__(self, folder: Path, package: Path | None = None) -> None:
        self.folder = folder
        self.package = package

    def snakemake(self, *arguments: str, cores: int = 2) -> tuple[Usage, str]:
        """Run the study, or what else the arguments say; also return what Snakemake printed."""
        command = (sys.executable, "-m", "snakemake", "--cores", str(cores), "--configfile", MINE)
        return run([*command, *arguments], self.folder, self.package)


@contextmanager
def checkout(config: Mapping[str, Any], commit: str | None = None) -> Iterator[Checkout]:
    """Make a checkout that goes away afterwards.

    Parameters
    ----------
    config : Mapping
        What differs from config/config.yaml.
    commit : str, optional
        The version to check out, workflow and package; the one at work where there is none.
    """
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        if commit is None:
            for part in WORKFLOW:
                source = REPO / part
                copy = shutil.copytree if source.is_dir() else shutil.copy2
                copy(source, here / part)
        else:
            archive = here / "archive.tar"
            subprocess.run(["git", "archive", "--output", archive, commit], cwd=REPO, check=True)
            with tarfile.open(archive) as files:
                files.extractall(here, filter="data")
        (here / MINE).write_text(yaml.safe_dump(dict(config)))
        yield Checkout(here, here / "src" if commit else None)

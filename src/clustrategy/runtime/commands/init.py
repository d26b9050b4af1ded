"""`clustrategy init`: a config to start a study from."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from clustrategy.core.errors import ConfigError
from clustrategy.runtime.workflow_files import workflow_folder
from clustrategy.tables.files import write_text

PROFILES = ("slurm", "cluster-generic")

LONGEST_NAME = 100
"""Of a study, in letters; the schema of configs has it, too."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write a config to start a study from.

    FOLDER/config.yaml has every key with its default and what it does; FOLDER/profiles has what a
    cluster needs. Nothing that is there already is changed.

    \b
    Examples:
      clustrategy init my-study
      clustrategy study my-study/config.yaml
    """
    config = folder / "config.yaml"
    with _said(folder):
        if config.exists() or config.is_symlink():
            raise ConfigError(f"{config} is there already; name another folder, or remove it first")
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"{folder} is a file; name a folder")
        for profile in PROFILES:
            _copy_profile(profile, folder)
        text = (workflow_folder() / "config" / "template.yaml").read_text(encoding="utf-8")
        # In quotes, or a name such as 2019 is a number.
        named = f'study: "{study_name(folder)}"'
        write_text(text.replace("study: three-ways", named), config)
    run = shlex.join(["clustrategy", "study", str(config)])
    click.echo(f"Written: {config}. Edit it, then run: {run}")


def study_name(folder: Path) -> str:
    """Return the name of a folder as far as a study may have it.

    Parameters
    ----------
    folder : Path
    """
    kept = "".join(c if c.isascii() and c.isalnum() else " " for c in folder.resolve().name)
    return "-".join(kept.split())[:LONGEST_NAME].rstrip("-") or "study"


def _copy_profile(name: str, folder: Path) -> None:
    """Copy a profile of a cluster, unless one is there."""
    there = folder / "profiles" / name
    if there.exists():
        return
    shutil.copytree(workflow_folder() / "profiles" / name, there)
    file = there / "config.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace(
        f"snakemake --profile profiles/{name}",
        f"clustrategy study {folder / 'config.yaml'} -- --profile {there}",
    )
    # It has to be found from whatever folder a study is run in.
    status = shlex.join(["sh", str(there.resolve() / "slurm-status.sh")])
    text = text.replace(f"sh profiles/{name}/slurm-status.sh", json.dumps(status))
    write_text(text, file)


@contextmanager
def _said(folder: Path) -> Iterator[None]:
    """Say in one sentence what the system refuses."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"{folder}: could not be written to ({reason})") from None

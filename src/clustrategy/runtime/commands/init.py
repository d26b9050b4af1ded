"""`clustrategy init`: a config to start a study from."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from clustrategy.core.errors import ConfigError
from clustrategy.runtime.workflow_files import workflow_folder
from clustrategy.tables.files import write_text

PROFILES = ("slurm", "cluster-generic")


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
    if config.exists() or config.is_symlink():
        raise ConfigError(f"{config} is there already; name another folder, or remove it first")
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; name a folder")
    files = workflow_folder()
    text = (files / "config" / "template.yaml").read_text(encoding="utf-8")
    name = "-".join("".join(c if c.isalnum() else " " for c in folder.resolve().name).split())
    write_text(text.replace("study: three-ways", f"study: {name or 'study'}"), config)
    for profile in PROFILES:
        there = folder / "profiles" / profile
        if not there.exists():
            shutil.copytree(files / "profiles" / profile, there)
    click.echo(f"Written: {config}. Edit it, then run: clustrategy study {config}")

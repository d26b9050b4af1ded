"""`clustrategy study`: run a simulation study in the current folder."""

from __future__ import annotations

import click

from clustrategy.runtime.snakemake_process import (
    SNAKEMAKE,
    Cores,
    WithOptionsBehind,
    become_snakemake,
)


@click.command(cls=WithOptionsBehind, options_metavar="[OPTIONS]")
@click.argument("config", nargs=-1, type=click.Path(), metavar="[CONFIG.yaml]...")
@click.option("--cores", type=Cores(), metavar="N", help="Use N cores.  [all]")
@click.pass_context
def study(ctx: click.Context, config: tuple[str, ...], cores: str | None) -> None:
    """Run a simulation study in the current folder.

    The results go to results/<study>/ in the current folder. Without a CONFIG it is the default
    study; of several the later ones are laid over the earlier. A second run does what is missing.
    What stands behind -- is handed to Snakemake. The exit code is Snakemake's.

    \b
    Examples:
      clustrategy study
      clustrategy study my-study/config.yaml --cores 4
      clustrategy study my-study/config.yaml -- --dry-run
      clustrategy study my-study/config.yaml -- --profile my-study/profiles/slurm
    """
    become_snakemake(config, cores, ctx.meta[SNAKEMAKE], ["study", *config])

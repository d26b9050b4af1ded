"""`clustrategy study`: run a simulation study in the current folder."""

from __future__ import annotations

import os
import sys

import click

from clustrategy.runtime.workflow_files import workflow_folder

SNAKEMAKE = "snakemake options"


class WithOptionsBehind(click.Command):
    """A command behind whose `--` stands what is Snakemake's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what is Snakemake's out of the arguments."""
        place = args.index("--") if "--" in args else len(args)
        ctx.meta[SNAKEMAKE] = args[place + 1 :]
        try:
            return super().parse_args(ctx, args[:place])
        except click.NoSuchOption as error:
            said = f"{error.message} Options of Snakemake stand behind '--'."
            raise click.UsageError(said, ctx) from None


@click.command(cls=WithOptionsBehind, options_metavar="[OPTIONS]")
@click.argument("config", nargs=-1, type=click.Path(), metavar="[CONFIG.yaml]...")
@click.option("--cores", default="all", show_default=True, help="Cores, a number or 'all'.")
@click.pass_context
def study(ctx: click.Context, config: tuple[str, ...], cores: str) -> None:
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
    folder = workflow_folder()
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(folder / "Snakefile")]
    command += ["--cores", cores]
    command += ["--configfile", *config] if config else []
    sys.stdout.flush()
    os.execv(sys.executable, [*command, *ctx.meta[SNAKEMAKE]])

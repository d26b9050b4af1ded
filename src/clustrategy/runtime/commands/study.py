"""`clustrategy study`: run a simulation study in the current folder."""

from __future__ import annotations

import os
import shlex
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


class Cores(click.ParamType):
    """A number of cores from 1 on, or 'all'."""

    name = "number|all"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return what Snakemake takes."""
        # Without a core it waits for ever.
        if value != "all" and not (value.isdecimal() and int(value) > 0):
            self.fail(f"{value!r} is neither a number from 1 on nor 'all'", param, ctx)
        return value


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
    from clustrategy.steps.provenance import COMMAND

    folder, further = workflow_folder(), ctx.meta[SNAKEMAKE]
    chosen = [] if cores is None else ["--cores", cores]
    # What follows a --configfile counts as one more until the next option comes.
    command = [sys.executable, "-m", "snakemake", *(["--configfile", *config] if config else [])]
    command += ["--snakefile", str(folder / "Snakefile")]
    # Not one of the same name in the current folder.
    command += ["--workflow-profile", str(folder / "profiles" / "default"), *chosen, *further]
    behind = ["--", *further] if further else []
    os.environ[COMMAND] = shlex.join(["clustrategy", "study", *config, *chosen, *behind])
    sys.stdout.flush()
    os.execv(sys.executable, command)

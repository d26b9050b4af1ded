"""A command that becomes Snakemake."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence

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


def become_snakemake(
    configs: Sequence[str], cores: str | None, further: Sequence[str], command: Sequence[str]
) -> None:
    """Run the workflow in the current folder, in place of this process.

    Parameters
    ----------
    configs : sequence of str
        The config files, later ones over earlier ones.
    cores : str, optional
        How many, or `all`.
    further : sequence of str
        Options of Snakemake.
    command : sequence of str
        What the user called, for the records.
    """
    from clustrategy.steps.provenance import COMMAND

    folder = workflow_folder()
    chosen = [] if cores is None else ["--cores", cores]
    # What follows a --configfile counts as one more until the next option comes.
    start = [sys.executable, "-m", "snakemake", *(["--configfile", *configs] if configs else [])]
    start += ["--snakefile", str(folder / "Snakefile")]
    # Not one of the same name in the current folder.
    start += ["--workflow-profile", str(folder / "profiles" / "default"), *chosen, *further]
    behind = ["--", *further] if further else []
    os.environ[COMMAND] = shlex.join(["clustrategy", *command, *chosen, *behind])
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, start)

"""The command `clustrategy`: one file per command, imported when it is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from clustrategy import __version__
from clustrategy.core.errors import DataError, nearest
from clustrategy.runtime.sentence import one_sentence

SHORT = {
    "analyze": "Analyse a table of your own by several strategies, with advice.",
    "calibrate": "Say which strategies to trust on a table like yours, by simulation.",
    "plan": "Say how many clusters a study needs, by simulation.",
    "study": "Run a simulation study in the current folder.",
    "init": "Write a config to start a study from.",
    "sims": "Tell how many sims a number or a verdict takes.",
    "verdicts": "Judge the estimates of any simulation.",
    "completion": "Print what completes the command in a shell.",
}
"""What each command does, in the order of the help."""

INTERRUPTED = 130


class Commands(click.Group):
    """The commands, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(SHORT)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command, None where there is none of that name."""
        match name:
            case "analyze":
                from clustrategy.runtime.commands.analyze import analyze

                return analyze
            case "calibrate":
                from clustrategy.runtime.commands.calibrate import calibrate

                return calibrate
            case "plan":
                from clustrategy.runtime.commands.plan import plan

                return plan
            case "study":
                from clustrategy.runtime.commands.study import study

                return study
            case "init":
                from clustrategy.runtime.commands.init import init

                return init
            case "sims":
                from clustrategy.runtime.commands.sims import sims

                return sims
            case "verdicts":
                from clustrategy.runtime.commands.verdicts import verdicts

                return verdicts
            case "completion":
                from clustrategy.runtime.commands.completion import completion

                return completion
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called; suggest the nearest where there is none."""
        name = args[0]
        if name not in SHORT and not name.startswith("-"):
            ctx.fail(f"No such command {name!r}{nearest(name, list(SHORT))}.")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the commands do without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SHORT.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="clustrategy")
def clustrategy() -> None:
    """Tell which analysis of clustered data can be trusted.

    \b
    Examples:
      clustrategy analyze pupils.csv "score ~ treat + age" --cluster school
      clustrategy calibrate pupils.csv "score ~ treat + age" --cluster school
      clustrategy plan --rows 12 --icc 0.1 --effect 0.3
      clustrategy init my-study && clustrategy study my-study/config.yaml

    \b
    Exit codes:
      0    done
      1    refused: one sentence says what of a file, a config or the data is not as expected;
           of a study also: a job failed, or its audit found a fault
      2    the command line is not as it should be
      130  interrupted
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; a user's error ends it with one sentence.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line; those of the process by default.
    """
    with one_sentence():
        try:
            code = clustrategy.main(
                None if arguments is None else list(arguments),
                prog_name="clustrategy",
                standalone_mode=False,
            )
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            code = INTERRUPTED
        except OSError as error:
            # What is left of the output would fail once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise DataError(f"{error.filename or 'the output'}: {error.strerror}") from None
    if code:
        sys.exit(code)

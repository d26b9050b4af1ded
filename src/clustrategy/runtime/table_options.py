"""What commands on a table of one's own have in common: its file, the formula, the strategies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

from clustrategy.core.errors import ClustrategyError


def _strategies(ctx: click.Context, option: click.Parameter, begun: str) -> list[str]:
    """Return the names of strategies that begin so."""
    from clustrategy.engines.chosen import registry
    from clustrategy.owndata.defaults import default_strategies

    known = [*(one["name"] for one in default_strategies()), *registry()]
    return [name for name in known if name.startswith(begun)]


STRATEGIES_FROM = click.option(
    "--strategies-from",
    type=click.Path(),
    multiple=True,
    metavar="FILE.py",
    help="A Python file with strategies of your own, which is run; repeatable.",
)
ENGINE = click.option("--engine", help="The engine of the strategies that have it, such as lme4.")

_OPTIONS = (
    click.argument("table", type=click.Path()),
    click.argument("formula"),
    click.option(
        "--cluster", metavar="COLUMN", help="The column of the clusters, if no bar names it."
    ),
    click.option("--random", metavar="TERMS", help="Random effects, such as '1 + age'."),
    click.option(
        "--strategy",
        "strategies",
        multiple=True,
        metavar="NAME",
        shell_complete=_strategies,
        help="A strategy in place of the default ones, such as 'OLS CR2', 'two-stage' or gee; "
        "repeatable.",
    ),
    STRATEGIES_FROM,
    click.option(
        "--small-clusters",
        type=click.Choice(["drop", "refuse", "keep"]),
        default="drop",
        show_default=True,
        help="What two-stage regression does with clusters that cannot carry one.",
    ),
    ENGINE,
    click.option("--sheet", help="Of a workbook; the first one by default."),
    click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True),
)


def table_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the arguments and options that say what is analysed, and by what."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def load_own(files: Sequence[str], strategies: Sequence[str]) -> None:
    """Run the files of strategies of one's own; of which some have to be named."""
    if not files:
        return
    if not strategies:
        raise click.UsageError("--strategies-from needs --strategy, the name of one of its own")
    from clustrategy.strategies.own_files import load_files

    load_files(files)


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Name the file in what is said of its data."""
    try:
        yield
    except ClustrategyError as error:
        raise type(error)(f"{path}: {error}") from None

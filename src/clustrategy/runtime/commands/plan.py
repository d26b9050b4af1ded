"""`clustrategy plan`: how many clusters a study needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from clustrategy.runtime.table_options import ENGINE, STRATEGIES_FROM, load_own, naming

if TYPE_CHECKING:
    import pandas as pd

    from clustrategy.planning.outcome import Plan

IMAGES = ("png", "pdf")

SILENT, BETWEEN = 5.0, 10.0
"""Seconds before it is said how far the simulation is, and between."""


class Numbers(click.ParamType):
    """A whole number, or the fewest and the most of them."""

    name = "N | FEWEST:MOST"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | list[int]:
        """Return the number, or both."""
        try:
            numbers = [int(part) for part in str(value).split(":")]
        except ValueError:
            numbers = []
        if len(numbers) not in (1, 2):
            self.fail(
                f"{value!r} is neither a whole number nor two of them as in 10:80", param, ctx
            )
        return numbers[0] if len(numbers) == 1 else numbers


def _strategies(ctx: click.Context, option: click.Parameter, begun: str) -> list[str]:
    """Return the names of strategies that begin so."""
    from clustrategy.engines.chosen import registry
    from clustrategy.planning.strategies import BETWEEN as WHOLE
    from clustrategy.planning.strategies import WITHIN

    known = [*dict.fromkeys(one["name"] for one in (*WHOLE, *WITHIN)), *registry()]
    return [name for name in known if name.startswith(begun)]


@click.command()
@click.argument("config", required=False, metavar="[CONFIG | FORMULA]")
@click.option("--clusters", type=Numbers(), help="The numbers of clusters to search.  [6:100]")
@click.option(
    "--rows", type=Numbers(), help="Of a cluster, on average; a range where costs decide."
)
@click.option("--size-cv", type=float, help="Coefficient of variation of the sizes.  [0]")
@click.option("--icc", type=float, help="Share of the response's variance between clusters.")
@click.option("--sigma-between", type=float, help="SD between clusters, in place of --icc.")
@click.option("--sigma-residual", type=float, help="SD of the errors, with --sigma-between.  [1]")
@click.option(
    "--sigma-slope", type=float, help="SD between clusters of an effect within them.  [0]"
)
@click.option(
    "--treatment",
    type=click.Choice(["between", "within"]),
    help="Whether whole clusters are treated, or rows within them.  [between]",
)
@click.option("--treated", type=float, help="Share that is treated.  [0.5]")
@click.option(
    "--like",
    type=click.Path(),
    metavar="TABLE",
    help="A table whose clusters are resampled; FORMULA is then that of `clustrategy analyze`.",
)
@click.option(
    "--cluster", metavar="COLUMN", help="With --like, of the clusters, if no bar names it."
)
@click.option("--random", metavar="TERMS", help="With --like, random effects, such as '1 + age'.")
@click.option(
    "--order", metavar="COLUMN", help="With --like, of the rows of a cluster, such as time."
)
@click.option("--sheet", help="With --like, of a workbook; the first one by default.")
@click.option("--term", help="With --like, the coefficient to be found.  [the first one]")
@click.option("--scenario", metavar="NAME", help="With --like, as of calibrate.  [estimated]")
@click.option(
    "--effect",
    type=float,
    help="To be found: in SDs of the response with --icc, else in its units.",
)
@click.option("--power", type=float, help="To be reached.  [0.8]")
@click.option("--alpha", type=float, help="The level of the two-sided tests.  [0.05]")
@click.option("--cost-cluster", type=float, help="Of one more cluster, without its rows.")
@click.option("--cost-row", type=float, help="Of one more row.")
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    metavar="NAME",
    shell_complete=_strategies,
    help="A strategy in place of the default ones, such as 'OLS CR2'; repeatable.",
)
@STRATEGIES_FROM
@ENGINE
@click.option("--sims", type=int, help="Simulated studies of each answer.  [4000]")
@click.option("--seed", type=int, help="Every number follows from it.  [0]")
@click.option(
    "--out",
    "outs",
    type=click.Path(),
    multiple=True,
    metavar="FILE",
    help="A .html or .md report, or the table as .csv or .parquet; repeatable.",
)
@click.option(
    "--figures",
    type=click.Path(file_okay=False),
    metavar="FOLDER",
    help="A folder for the figure of the power, .png and .pdf.",
)
def plan(config: str | None, outs: tuple[str, ...], figures: str | None, **options: Any) -> None:
    """Say how many clusters a study needs, by simulation.

    Describe the study by options or in CONFIG, a .yaml file with the same names; or name a table
    like it, whose clusters are resampled. It says how many clusters each strategy needs that keeps
    its level.

    \b
    Examples:
      clustrategy plan --rows 12 --size-cv 0.4 --icc 0.1 --effect 0.3
      clustrategy plan --rows 5:40 --icc 0.1 --effect 0.3 --cost-cluster 200 --cost-row 5
      clustrategy plan --like pupils.csv "score ~ treat + age" --cluster school --effect 4
    """
    from clustrategy.planning.asked import asked
    from clustrategy.planning.plan import planned
    from clustrategy.tables.table_file import check_ending

    endings = [check_ending(out) for out in outs]
    settings = {name: value for name, value in options.items() if value not in (None, ())}
    if "strategies" in settings:
        settings["strategies"] = list(settings["strategies"])
    where = ""
    if config is not None and options["like"] is not None:
        settings["formula"] = config
    elif config is not None:
        from clustrategy.study.config import load

        where, settings = config, {**load(config), **settings}
    if settings.get("strategies_from"):
        settings["strategies_from"] = list(settings["strategies_from"])
        load_own(settings["strategies_from"], settings.get("strategies", ()))
    like = settings.get("like")
    wanted = asked(settings, like=like is not None, where=where)
    if like is None:
        found = planned(wanted, tell=_telling())
    else:
        table = _table(settings)
        with naming(like):
            found = planned(wanted, table, _telling())
    click.echo(str(found))
    for out, ending in zip(outs, endings, strict=True):
        _write(found, out, ending)
        click.echo(f"\nWritten: {out}", err=True)
    if figures is not None:
        from clustrategy.figures.parts.files import quiet, save
        from clustrategy.figures.planning.power_by_clusters import power_by_clusters

        with quiet():
            save(
                power_by_clusters(found),
                [f"{figures}/power_by_clusters.{ending}" for ending in IMAGES],
            )
        click.echo(f"\nWritten: the figure in {figures}", err=True)


def _table(settings: dict[str, Any]) -> pd.DataFrame:
    """Read the columns of the table that the plan needs."""
    from clustrategy.design.from_table import columns_of
    from clustrategy.tables.user_files import read_table

    needed = columns_of(settings["formula"], settings.get("cluster"), settings.get("order"))
    return read_table(settings["like"], columns=needed, sheet=settings.get("sheet"))


def _telling() -> Callable[[int], None]:
    """Return what says from time to time how many fits there have been."""
    started = time.monotonic()
    said = [started + SILENT - BETWEEN]

    def tell(fits: int) -> None:
        now = time.monotonic()
        if now - said[0] >= BETWEEN:
            said[0] = now
            click.echo(f"{fits:,} fits to simulated studies after {now - started:.0f} s", err=True)

    return tell


def _write(found: Plan, out: str, ending: str) -> None:
    from clustrategy.tables.files import write_text
    from clustrategy.tables.table_file import write_table

    if ending == ".html":
        from clustrategy.report.plan_page import plan_page

        write_text(plan_page(found), out)
    elif ending == ".md":
        write_text(found.markdown(), out)
    else:
        write_table(found.table(), out)

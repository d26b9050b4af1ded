"""`clustrategy verdicts`: judge the estimates of any simulation."""

from __future__ import annotations

import click


def _truth(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


@click.command()
@click.argument("estimates", type=click.Path())
@click.option(
    "--truth",
    default="true_value",
    show_default=True,
    help="The true value, or the column that holds it.",
)
@click.option("--by", multiple=True, metavar="COLUMN", help="What makes the groups; repeatable.")
@click.option(
    "--over", multiple=True, metavar="COLUMN", help="Those of them that tell cells apart."
)
@click.option("--effect", "effects", type=float, multiple=True, help="Asks for power; repeatable.")
@click.option("--equivariant", is_flag=True, help="Power follows by a shift of the estimates.")
@click.option("--alpha", default=0.05, show_default=True, help="The level of the tests.")
@click.option("--replicate", default="sim", show_default=True, help="What tells datasets apart.")
@click.option("--out", type=click.Path(), help="A .csv, .parquet, .md or .html to write.")
def verdicts(
    estimates: str,
    truth: str,
    by: tuple[str, ...],
    over: tuple[str, ...],
    effects: tuple[float, ...],
    equivariant: bool,
    alpha: float,
    replicate: str,
    out: str | None,
) -> None:
    """Judge the estimates of any simulation.

    ESTIMATES is a table with a row per dataset and term: estimate and, as far as they are there,
    std_error, df, p_value, conf_low, conf_high and status. It says which strategies keep their
    level, in each group and over all cells.

    \b
    Examples:
      clustrategy verdicts estimates.csv --truth 0.5 --by method --by size --over size
      clustrategy verdicts estimates.parquet --truth beta --by method --out verdicts.csv
    """
    from clustrategy.evaluation.verdicts import verdicts as judge
    from clustrategy.tables.table_file import check_ending, table_text, write_table
    from clustrategy.tables.user_files import read_table

    if out is not None:
        check_ending(out)
    found = judge(
        read_table(estimates),
        _truth(truth),
        by=by,
        over=over,
        effects=effects,
        equivariant=equivariant,
        alpha=alpha,
        replicate=replicate,
    )
    if out is None:
        click.echo(table_text(found.dropna(axis="columns", how="all")))
    else:
        write_table(found, out)

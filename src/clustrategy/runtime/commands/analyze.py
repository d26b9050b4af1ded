"""`clustrategy analyze`: a table of one's own by several strategies."""

from __future__ import annotations

import warnings

import click

from clustrategy.core.errors import RowsLeftOut
from clustrategy.runtime.table_options import load_own, naming, table_options

IMAGES = ("png", "pdf")

MANY_ROWS = 200_000
"""So many take long enough for a word."""


@click.command()
@table_options
@click.option("--weights", metavar="COLUMN", hidden=True)
@click.option(
    "--out",
    "outs",
    type=click.Path(),
    multiple=True,
    metavar="FILE",
    help="A .html or .md report, or the tidy table as .csv or .parquet; repeatable.",
)
@click.option(
    "--figures",
    type=click.Path(file_okay=False),
    metavar="FOLDER",
    help="A folder for the figures: forest, clusters, leverage and shrinkage, .png and .pdf.",
)
def analyze(
    table: str,
    formula: str,
    cluster: str | None,
    random: str | None,
    strategies: tuple[str, ...],
    strategies_from: tuple[str, ...],
    small_clusters: str,
    engine: str | None,
    weights: str | None,
    sheet: str | None,
    seed: int,
    outs: tuple[str, ...],
    figures: str | None,
) -> None:
    """Analyse a table of your own by several strategies, with advice.

    TABLE is a .csv, .tsv, .parquet, .arrow, .xlsx, .dta, .sav or .sas7bdat file; FORMULA is that of
    lme4, with or without bars of random effects. It says what to go by, what to mind, and every
    term by every strategy.

    \b
    Examples:
      clustrategy analyze pupils.csv "score ~ treat + age" --cluster school
      clustrategy analyze pupils.dta "score ~ treat + age + (1 + age | school)" --out pupils.html
    """
    from clustrategy.design.from_table import columns_of
    from clustrategy.owndata.fit import fit
    from clustrategy.tables.table_file import check_ending, write_table
    from clustrategy.tables.user_files import read_table

    endings = [check_ending(out) for out in outs]
    load_own(strategies_from, strategies)
    needed = columns_of(formula, cluster)
    data = read_table(table, columns=needed, sheet=sheet)
    if len(data) >= MANY_ROWS:
        click.echo(f"{len(data):,} rows are read; the fits take some seconds.", err=True)
    with naming(table), warnings.catch_warnings():
        warnings.simplefilter("ignore", RowsLeftOut)  # The analysis says so itself.
        analysis = fit(
            data,
            formula,
            cluster=cluster,
            random=random,
            strategies=list(strategies) or None,
            small_clusters=small_clusters,
            engine=engine,
            seed=seed,
            weights=weights,  # type: ignore[arg-type]
        )
    click.echo(str(analysis))
    for out, ending in zip(outs, endings, strict=True):
        if ending == ".html":
            from clustrategy.report.analysis_page import analysis_page
            from clustrategy.tables.files import write_text

            write_text(analysis_page(analysis, table), out)
        elif ending == ".md":
            from clustrategy.tables.files import write_text

            write_text(analysis.summary.markdown(), out)
        else:
            write_table(analysis.tidy(), out)
        click.echo(f"\nWritten: {out}", err=True)
    if figures is not None:
        from clustrategy.figures.own_data.plot import FIGURES, plot
        from clustrategy.figures.parts.files import quiet, save

        with quiet():
            for name in FIGURES:
                save(plot(analysis, name), [f"{figures}/{name}.{ending}" for ending in IMAGES])
        click.echo(f"\nWritten: the figures in {figures}", err=True)

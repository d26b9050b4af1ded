"""`clustrategy sims`: how many sims a number or a verdict takes."""

from __future__ import annotations

import click

from clustrategy.core.errors import ConfigError

ABOVE_0 = click.FloatRange(min=0, min_open=True)
SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@click.option("--of", required=True, help="verdict, or a measure: coverage, bias, power, ...")
@click.option("--mcse", type=ABOVE_0, help="The Monte Carlo standard error wanted.")
@click.option(
    "--cells", type=click.IntRange(min=1), help="Of a verdict: the cells of the grid.  [1]"
)
@click.option(
    "--probability",
    type=SHARE,
    help="Of a verdict: that what keeps its level is found safe in all cells.  [0.99]",
)
@click.option("--sd", type=ABOVE_0, help="The standard deviation to be expected over sims.")
@click.option("--alpha", type=SHARE, help="The level of the tests.  [0.05]")
@click.option("--pilot", type=click.Path(), help="performance.parquet of a pilot study.")
def sims(
    of: str,
    mcse: float | None,
    cells: int | None,
    probability: float | None,
    sd: float | None,
    alpha: float | None,
    pilot: str | None,
) -> None:
    """Tell how many sims a number or a verdict takes.

    \b
    Examples:
      clustrategy sims --of verdict --cells 45
      clustrategy sims --of coverage --mcse 0.005
      clustrategy sims --of bias --mcse 0.01 --pilot results/my-study/performance.parquet
    """
    sources = {"sd": sd, "alpha": alpha, "pilot": pilot}
    given = [name for name, value in sources.items() if value is not None]
    if len(given) > 1:
        raise click.UsageError(f"--{given[1]} does not go with --{given[0]}")
    level = 0.05 if alpha is None else alpha
    if of == "verdict":
        for name, value in (("mcse", mcse), ("sd", sd), ("pilot", pilot)):
            if value is not None:
                raise ConfigError(f"--of verdict does not take --{name}")
        click.echo(_of_verdict(cells or 1, 0.99 if probability is None else probability, level))
        return
    for name, value in (("cells", cells), ("probability", probability)):
        if value is not None:
            raise ConfigError(f"--of {of} does not take --{name}")
    if mcse is None:
        raise ConfigError(f"--of {of} needs --mcse, the Monte Carlo standard error wanted")
    click.echo(_of_measure(of, mcse, sd, level) if pilot is None else _by_pilot(of, mcse, pilot))


def _of_verdict(cells: int, probability: float, alpha: float) -> str:
    from clustrategy.evaluation.sample_size import sims_for_verdict

    count = sims_for_verdict(cells, probability, alpha)
    where = "the one cell" if cells == 1 else f"all of {cells:,} cells"
    return (
        f"{count:,} sims per cell for a strategy that keeps its level to be found safe in {where} "
        f"with probability {probability:g}"
    )


def _goal(of: str, mcse: float) -> str:
    return f"sims per cell for a Monte Carlo standard error of {mcse:g} of {of}"


def _of_measure(of: str, mcse: float, sd: float | None, alpha: float) -> str:
    from clustrategy.evaluation.sample_size import sims_for

    return f"{sims_for(mcse, of, sd, alpha):,} {_goal(of, mcse)}"


def _by_pilot(of: str, mcse: float, pilot: str) -> str:
    from tabulate import tabulate

    from clustrategy.evaluation.sample_size import sims_by_pilot

    found = sims_by_pilot(mcse, of, pilot)
    head = ["strategy", "term", "worst cell", of, "mcse", "n", "sims"]
    body = [
        [*row[:3], f"{row.value:.4g}", f"{row.mcse:.2g}", f"{row.n:,}", f"{row.sims:,}"]
        for row in found
    ]
    sides = ("left", "left", "left", "right", "right", "right", "right")
    table = tabulate(body, head, tablefmt="simple", colalign=sides, disable_numparse=True)
    return f"{table}\n\n{max(row.sims for row in found):,} {_goal(of, mcse)}, by the worst of them"

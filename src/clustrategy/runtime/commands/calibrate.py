"""`clustrategy calibrate`: a simulation study on the design of one's own table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clustrategy.runtime.commands.init import study_name
from clustrategy.runtime.snakemake_process import (
    SNAKEMAKE,
    Cores,
    WithOptionsBehind,
    become_snakemake,
)
from clustrategy.runtime.table_options import load_own, table_options

if TYPE_CHECKING:
    from clustrategy.engines.chosen import Strategy

SIMS = 10_000

HEAD = """\
# Written by clustrategy calibrate. To run it again, changed or not:
#
#   clustrategy study {path}
"""


class Effects(click.ParamType):
    """Numbers, or a term and its numbers."""

    name = "0.1,0.2 | TERM=0.1,0.2"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, list[float]]:
        """Return the term, empty where none is named, and the numbers."""
        term, _, numbers = str(value).rpartition("=")
        try:
            return term, [float(number) for number in numbers.split(",")]
        except ValueError:
            self.fail(f"{value!r} is neither numbers such as 0.1,0.2 nor TERM=0.1,0.2", param, ctx)


@click.command(cls=WithOptionsBehind, options_metavar="[OPTIONS]")
@table_options
@click.option("--order", metavar="COLUMN", help="Of the rows of a cluster, such as time.")
@click.option(
    "--sims",
    type=click.IntRange(min=1, max=10_000_000),
    default=SIMS,
    show_default=True,
    help="Simulated outcomes of each scenario.",
)
@click.option(
    "--effects",
    type=Effects(),
    multiple=True,
    help="At which power is given, in units of the response, of all terms or of one; repeatable.",
)
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="NAME",
    help="One to simulate, in place of all; repeatable.",
)
@click.option("--name", help="Of the study: its results live in results/NAME.")
@click.option("--cores", type=Cores(), metavar="N", help="Use N cores.  [all]")
@click.pass_context
def calibrate(
    ctx: click.Context,
    table: str,
    formula: str,
    cluster: str | None,
    random: str | None,
    strategies: tuple[str, ...],
    strategies_from: tuple[str, ...],
    small_clusters: str,
    engine: str | None,
    sheet: str | None,
    seed: int,
    order: str | None,
    sims: int,
    effects: Sequence[tuple[str, list[float]]],
    scenarios: tuple[str, ...],
    name: str | None,
    cores: str | None,
) -> None:
    """Say which strategies to trust on a table like yours, by simulation.

    TABLE and FORMULA are those of `clustrategy analyze`. Predictors, clusters and sizes stay as
    they are; outcomes are simulated under scenarios about what is not known, and each strategy is
    judged by its worst one. Decide by the report before you look at estimates. What stands behind
    -- is handed to Snakemake. A second run does what is missing.

    \b
    Examples:
      clustrategy calibrate pupils.csv "score ~ treat + age" --cluster school
      clustrategy calibrate pupils.dta "score ~ treat + (1 | school)" --effects treat=1,2,4
    """
    from clustrategy.calibration.table_source import TableSource
    from clustrategy.owndata.defaults import by_label
    from clustrategy.owndata.fit import strategies_on
    from clustrategy.study.study import Study
    from clustrategy.study.trials import try_out

    load_own(strategies_from, strategies)
    source = TableSource(table, formula, cluster, random, order, sheet)
    chosen = strategies_on(
        source.design(),
        [by_label(one) for one in strategies] or None,
        engine=engine,
        small_clusters=small_clusters,
    )
    named = name or study_name(Path(table).with_suffix(""))
    config = {
        "study": named,
        "seed": seed,
        "sims": sims,
        "csv": False,
        "data": {
            "file": table,
            "formula": formula,
            **_named(cluster=cluster, random=random, order=order, sheet=sheet),
            **({"scenarios": list(scenarios)} if scenarios else {}),
        },
        "strategies": [_entry(strategy) for strategy in chosen],
        **({"strategies_from": list(strategies_from)} if strategies_from else {}),
        **({"verdict": {"effects": _effects(effects)}} if effects else {}),
        "audit": {"engine": "glmm", "sims": 1},
    }
    study = Study.from_config(config, given=source.given_data(f"results/{named}"))
    study.check_folder()
    try_out(study)
    assert study.given is not None
    study.given.write(study.folder)
    path = f"{study.folder}/config.yaml"
    _write(config, path)
    become_snakemake([path], cores, ctx.meta[SNAKEMAKE], ["study", path])


def _entry(strategy: Strategy) -> dict[str, Any]:
    """Return what stands under `strategies:`, without an engine that would be taken anyway."""
    entry = strategy.brief
    if entry["engine"] == next(iter(strategy.engines)):
        del entry["engine"]
    return entry


def _named(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _effects(effects: Sequence[tuple[str, list[float]]]) -> list[float] | dict[str, list[float]]:
    """Return the effects of all terms, or those of each that is named."""
    if len(effects) == 1 and not effects[0][0]:
        return effects[0][1]
    if any(not term for term, _ in effects):
        raise click.UsageError("--effects takes numbers once, or of each time another term")
    return dict(effects)


def _write(config: Mapping[str, Any], path: str) -> None:
    import yaml

    from clustrategy.tables.files import write_text

    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=100)
    write_text(f"{HEAD.format(path=path)}{text}", path)

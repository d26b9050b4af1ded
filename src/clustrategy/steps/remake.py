"""Make any one dataset of a study again, with every strategy's fit and a script for R."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clustrategy.core.cells import read_sim_path
from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy
from clustrategy.examples import remake as example
from clustrategy.strategies.own_files import load_files
from clustrategy.tables.files import write_csv, write_parquet, write_text

FILES = ("dataset.csv", "dataset.parquet", "truth.csv", "estimates.csv", "fits.csv", "lme4.R")


def remake(
    study: str,
    seed: int,
    dgp: Mapping[str, Any],
    strategies: Sequence[Mapping[str, Any]],
    folder: str | Path,
    strategies_from: Sequence[str] = (),
) -> None:
    """Write `FILES` into a folder.

    Parameters
    ----------
    study : str
        The name of the study.
    seed : int
        Of the study.
    dgp : Mapping
        What of the data-generating process the cell does not set.
    strategies : Sequence of Mapping
        The entries of the study.
    folder : str or Path
        Says which dataset is made: it ends as `sim_path` writes it.
    strategies_from : Sequence of str
        Files of the user's own that register strategies.
    """
    load_files(strategies_from)
    folder = Path(folder)
    cell, sim = read_sim_path(str(folder))
    process = Process.of(dgp, cell)
    chosen = [Strategy.parse(entry) for entry in strategies]
    made = example.remake(study, process, seed, cell, sim, chosen)
    write_parquet(made.dataset, folder / "dataset.parquet", {})
    for name in ("dataset", "truth", "estimates", "fits"):
        write_csv(getattr(made, name), folder / f"{name}.csv")
    write_text(made.script, folder / "lme4.R")

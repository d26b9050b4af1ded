"""Make any one dataset of a study again, with every strategy's fit and a script for R."""

from __future__ import annotations

from pathlib import Path

from clustrategy.core.cells import read_sim_path
from clustrategy.examples import remake as example
from clustrategy.study.plan import read_plan
from clustrategy.tables.files import write_csv, write_parquet, write_text

FILES = ("dataset.csv", "dataset.parquet", "truth.csv", "estimates.csv", "fits.csv", "lme4.R")


def remake(study: str, folder: str | Path) -> None:
    """Write `FILES` into a folder.

    Parameters
    ----------
    study : str
        The folder of the study, with its plan.
    folder : str or Path
        Says which dataset is made: it ends as `sim_path` writes it.
    """
    plan = read_plan(study)
    folder = Path(folder)
    cell, sim = read_sim_path(str(folder))
    chosen = [plan.recipe.chosen[label] for label in plan.labels]
    process = plan.recipe.process(cell)
    made = example.remake(plan.study, process, plan.recipe.seed, cell, sim, chosen)
    write_parquet(made.dataset, folder / "dataset.parquet", {})
    for name in ("dataset", "truth", "estimates", "fits"):
        write_csv(getattr(made, name), folder / f"{name}.csv")
    write_text(made.script, folder / "lme4.R")

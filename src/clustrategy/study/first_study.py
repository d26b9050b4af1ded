"""What a finished study says of the conclusions of the study that we start from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy
from clustrategy.evaluation.conclusions import CONCLUSIONS, NAMES, conclusions
from clustrategy.study.plan import read_plan
from clustrategy.tables.files import damaged, read_parquet

SLOPES = 3
"""The predictors of that study."""

EXAMPLE = [50] * 50
"""The rows of the clusters of its one dataset."""


def read_conclusions(folder: str | Path) -> pa.Table:
    """Judge the conclusions of the study that we start from by a study's whole tables.

    Parameters
    ----------
    folder : str or Path
        The folder of a finished study. Its verdicts, if they are there, are shown beside the
        statements; its worked example counts if it has 50 clusters of 50 observations.

    Returns
    -------
    Table
        As `evaluation.conclusions.CONCLUSIONS`; empty if the study is not like that one.

    Raises
    ------
    DataError
        Where a table is not there or damaged.
    """
    plan = read_plan(str(folder))
    by_label = plan.recipe.chosen
    labels = _labels([by_label[label] for label in plan.labels])
    processes = [plan.recipe.process(cell) for cell in plan.cells]
    slopes = {one.varying for one in processes if isinstance(one, Process)}
    if not labels.keys() >= NAMES.keys() or slopes != {SLOPES}:
        return CONCLUSIONS.empty_table()
    scores, fits = (read_parquet(Path(folder, f"{name}.parquet")) for name in ("scores", "fits"))
    verdicts = Path(folder, "verdicts.parquet")
    return conclusions(
        scores,
        fits,
        labels,
        _worked_example(Path(folder, "worked_example")),
        read_parquet(verdicts) if verdicts.exists() else None,
    )


def _labels(strategies: Sequence[Strategy]) -> dict[str, str]:
    """Return the label of the first entry with default options of each strategy."""
    labels: dict[str, str] = {}
    for strategy in strategies:
        if strategy.brief.keys() <= {"strategy", "name", "engine"}:
            labels.setdefault(strategy.name, strategy.label)
    return labels


def _worked_example(folder: Path) -> dict[str, tuple[float, float]] | None:
    """Read summed standard errors and |t| of each label, None if the dataset is another."""
    dataset, metrics = folder / "dataset.csv", folder / "metrics.csv"
    if not (dataset.exists() and metrics.exists()):
        return None
    clusters = pc.value_counts(_read_csv(dataset)["Group"])
    if clusters.field("counts").to_pylist() != EXAMPLE:
        return None
    rows = _read_csv(metrics).to_pylist()
    return {str(row["strategy"]): (_number(row["se_sum"]), _number(row["t_sum"])) for row in rows}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _read_csv(path: Path) -> pa.Table:
    try:
        return pyarrow.csv.read_csv(path)
    except (OSError, pa.ArrowException) as error:
        raise damaged(path, error) from None

"""The cells of a verification study and what they say of a design."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy, registry
from clustrategy.study.study import Study
from clustrategy.tables.cells import with_cell
from clustrategy.verification.closed_forms import Arms

Row = dict[str, Any]
"""A row of the verification's table: factors and some of `judgement.COLUMNS`."""


@dataclass(frozen=True)
class Cell:
    """A cell of a verification study.

    Attributes
    ----------
    factors : Mapping
        Its levels, as they stand in tables.
    process : Process
        What draws its datasets.
    """

    factors: Mapping[str, Any]
    process: Process


def cells_of(study: Study) -> list[Cell]:
    """List the cells of a study."""
    return [Cell(_factors(cell), study.process(cell)) for cell in study.cells]


def _factors(cell: Mapping[str, Any]) -> dict[str, Any]:
    (row,) = with_cell(cell, pa.table({"none": [None]})).drop_columns("none").to_pylist()
    return dict(row)


def options_of(strategy: Strategy) -> dict[str, Any]:
    """Return the options of a strategy, those that its entry leaves out at their defaults."""
    function = registry()[strategy.name][strategy.engine].function
    parameters = inspect.signature(function).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    return defaults | dict(strategy.options)


def is_t_test_of_summaries(options: Mapping[str, Any]) -> bool:
    """Tell whether a two-stage strategy is the t test of the clusters' own coefficients."""
    return bool(options["weights"] == "equal" and options["test"] == "t")


def arms(process: Process) -> Arms | None:
    """Return the balanced design of arms that a process draws, None if it draws anything else."""
    if process.treatment == "none" or process.continuous or not _is_usual(process):
        return None
    intercept, *slopes = map(float, process.sigmas)
    if len(set(slopes)) > 1:
        return None
    return Arms(
        process.treatment,
        process.clusters,
        process.obs_per_cluster,
        process.arms,
        intercept,
        slopes[0],
        process.residual_sigma,
    )


def has_one_predictor(process: Process) -> bool:
    """Tell whether a process draws one standard normal predictor and is usual otherwise."""
    return process.treatment == "none" and process.predictors == 1 and _is_usual(process)


def _is_usual(process: Process) -> bool:
    """Tell whether coefficients are given and only options of the design differ from defaults."""
    design = (
        "clusters",
        "obs_per_cluster",
        "between_cluster_sigma",
        "predictors",
        "coefficients",
        "residual_sigma",
        "sigma_ratios",
        "treatment",
        "arms",
    )
    usual = Process(**{name: getattr(process, name) for name in design})
    return process == usual and not isinstance(process.coefficients, Mapping)

"""The cells of a verification study and what they say of a design."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy
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
    return [Cell(_factors(cell), study.synthetic(cell)) for cell in study.cells]


def _factors(cell: Mapping[str, Any]) -> dict[str, Any]:
    (row,) = with_cell(cell, pa.table({"none": [None]})).drop_columns("none").to_pylist()
    return dict(row)


def options_of(strategy: Strategy) -> dict[str, Any]:
    """Return the options of a strategy, those that its entry leaves out at their defaults."""
    parameters = inspect.signature(strategy.function).parameters.values()
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


class GrowthCurves(NamedTuple):
    """A balanced design in which clusters' own coefficients are all but known.

    Attributes
    ----------
    clusters, slopes : int
        G, and the q predictors whose slopes differ between clusters.
    treatments : Sequence of str
        The k terms that are constant within clusters.
    """

    clusters: int
    slopes: int
    treatments: Sequence[str]


KNOWN = 1e-3
"""The share of a coefficient's variance that may be errors where it counts as known."""


def growth_curves(process: Process) -> GrowthCurves | None:
    """Return the growth curves that a process draws, None if it draws anything else.

    The arms are given to whole clusters, and predictors within them have random slopes.
    """
    if process.treatment != "between" or not process.continuous or not _is_usual(process):
        return None
    slopes = process.continuous
    rows, clusters = process.obs_per_cluster - slopes - 2, process.clusters - process.predictors - 1
    if rows < 1 or clusters < 1:
        return None
    if process.residual_sigma**2 / rows > KNOWN * process.sigmas[: slopes + 1].min() ** 2:
        return None
    return GrowthCurves(process.clusters, slopes, process.terms[slopes + 1 :])


def coefficients(process: Process) -> Sequence[float] | None:
    """Return the coefficients, None if they differ between sims."""
    if not isinstance(process.coefficients, Mapping):
        return process.coefficients
    low, high = process.coefficients["uniform"]
    return [low] * len(process.terms) if low == high else None


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
        "icc",
        "slope_sd",
        "treatment",
        "arms",
    )
    usual = Process(**{name: getattr(process, name) for name in design})
    return process == usual and coefficients(process) is not None

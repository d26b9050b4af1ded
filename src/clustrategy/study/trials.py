"""Trial fits to the first datasets of small cells: what no strategy can fit is not begun.

Which fits are undefined follows from the data, by rules that each strategy has of its own; a trial
asks them all. It is made where a cell has no more clusters, or no more rows to a cluster, than
there are coefficients, or where no predictor varies within clusters; and on a given design.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from clustrategy.core.cells import Cell, format_level
from clustrategy.core.counted import counted
from clustrategy.core.errors import ConfigError
from clustrategy.core.shard import Shard
from clustrategy.dgp import Process
from clustrategy.dgp.drawn import AnyProcess, draw
from clustrategy.dgp.given import GivenProcess
from clustrategy.engines.chosen import Strategy
from clustrategy.study import config as configuration
from clustrategy.study.study import Study

FEW, SIMS = 4, 20
"""The datasets that show whether a strategy can be fitted, and whether none can."""

MOST_ROWS = 200_000
"""Of all datasets of a trial; of larger datasets one is tried."""

MOST_SHAPES = 20
"""Different shapes of datasets that are tried, the smallest first."""


class _Shape(NamedTuple):
    """Cells whose datasets differ by the sizes of effects and errors alone."""

    process: AnyProcess
    cells: list[Cell]


def try_out(study: Study) -> str:
    """Try the strategies where it is doubtful whether they can be fitted.

    Parameters
    ----------
    study : Study

    Returns
    -------
    str
        Which strategies have no fit in some cells, empty where none is known to fail.

    Raises
    ------
    ConfigError
        Where no strategy of the study could be fitted to any of the first datasets of a cell.
    """
    failing: Counter[str] = Counter()
    for shape in _doubtful(study)[:MOST_SHAPES]:
        reasons = _reasons(study, shape, FEW)
        if all(reasons.values()) and all(_reasons(study, shape, SIMS).values()):
            raise ConfigError(_refusal(study, shape, [*reasons.values()]))
        failing.update({label: len(shape.cells) for label, why in reasons.items() if why})
    if not failing:
        return ""
    parts = [f"{label} in {count:,}" for label, count in failing.items()]
    return f"no fit (status undefined) in some of {len(study.cells):,} cells: {', '.join(parts)}"


def _doubtful(study: Study) -> list[_Shape]:
    if study.given is not None:
        return [_Shape(study.process(study.cells[0]), study.cells)]
    shapes: dict[Hashable, tuple[Process, list[Cell]]] = {}
    for cell in study.cells:
        process = study.synthetic(cell)
        coefficients = process.predictors + 1
        small = min(process.clusters, process.obs_per_cluster) <= coefficients
        if small or not (process.varying or process.treatment == "within"):
            key = (
                process.clusters,
                process.obs_per_cluster,
                process.predictors,
                process.treatment,
                process.arms,
                tuple(process.between_share),
                process.size_cv,
                process.size_distribution,
                process.missing_rate,
                process.missing_mechanism,
                process.shapes,
            )
            shapes.setdefault(key, (process, []))[1].append(cell)
    return sorted((_Shape(*one) for one in shapes.values()), key=lambda one: one.process.rows)


def _reasons(study: Study, shape: _Shape, sims: int) -> dict[str, str]:
    """Say of each strategy, by label, why it has no fit to any dataset; empty where it has one."""
    process = shape.process
    sims = max(1, min(sims, study.sims, MOST_ROWS // process.rows))
    shard = draw(process, study.seed, shape.cells[0], range(sims)).shard
    return {strategy.label: _reason(strategy, shard) for strategy in study.strategies}


def _reason(strategy: Strategy, shard: Shard) -> str:
    """Fit by the default engine, whose rules the others share."""
    engine = next(iter(strategy.engines))
    try:
        fits = Strategy.parse({**strategy.spec, "engine": engine}).fit(shard)
    except ConfigError:  # Options of another engine.
        return ""
    return str(fits.message[0]) if (fits.status == "undefined").all() else ""


def _refusal(study: Study, shape: _Shape, reasons: Sequence[str]) -> str:
    process, cell = shape.process, shape.cells[0]
    words = "; ".join(dict.fromkeys(reasons))
    words = words if len(words) <= 200 else f"{words[:200]}..."
    if isinstance(process, GivenProcess):
        return (
            f"{configuration.holder(study.files, ['strategies'])}: strategies: no strategy of the "
            f"study can be fitted to the design of the table ({words})"
        )
    coefficients = process.predictors + 1
    path = ["strategies"]
    if min(process.clusters, process.obs_per_cluster) <= coefficients:
        path = ["grid", "clusters" if process.clusters <= coefficients else "obs_per_cluster"]
    sizes = [f"{name} {format_level(cell[name])}" for name in ("clusters", "obs_per_cluster")]
    return (
        f"{configuration.holder(study.files, path)}: {'.'.join(path)}: no strategy of the study "
        f"can be fitted in the cell of {' and '.join(sizes)} with "
        f"{counted(process.predictors, 'predictor')} ({words})"
    )

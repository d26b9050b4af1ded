"""Which analysis of clustered data to trust, answered by simulation.

A table of one's own:

- `fit` analyses it by several strategies and says what to make of it; `analyze` returns the tidy
  table alone. `read_table` reads it from a file, `plot` draws it.
- `calibrate` says which strategies to trust on it, by simulation on its predictors and clusters.

A study to come:

- `plan` says how many clusters it needs, for each strategy that keeps its level.

Simulations:

- `Study` is a config: its cells, blocks and jobs. `simulate` draws the datasets of a cell.
- `verdicts` tells which strategies keep their promises, from the estimates of any simulation;
  `performance` gives bias, coverage, power and more, each with its Monte Carlo error.

The command `clustrategy` does the same from a terminal: `clustrategy --help`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Analysis",
    "Calibration",
    "Plan",
    "Study",
    "analyze",
    "calibrate",
    "fit",
    "performance",
    "plan",
    "plot",
    "read_table",
    "simulate",
    "verdicts",
]

if TYPE_CHECKING:
    from clustrategy.dgp import simulate
    from clustrategy.evaluation.performance import performance
    from clustrategy.evaluation.verdicts import verdicts
    from clustrategy.figures.own_data.plot import plot
    from clustrategy.owndata.analysis import Analysis
    from clustrategy.owndata.analyze import analyze
    from clustrategy.owndata.calibrate import calibrate
    from clustrategy.owndata.calibration import Calibration
    from clustrategy.owndata.fit import fit
    from clustrategy.planning.outcome import Plan
    from clustrategy.planning.plan import plan
    from clustrategy.study.study import Study
    from clustrategy.tables.user_files import read_table


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: a job pays for what it uses alone."""
    match name:
        case "Analysis":
            from clustrategy.owndata.analysis import Analysis

            return Analysis
        case "Calibration":
            from clustrategy.owndata.calibration import Calibration

            return Calibration
        case "Plan":
            from clustrategy.planning.outcome import Plan

            return Plan
        case "Study":
            from clustrategy.study.study import Study

            return Study
        case "analyze":
            from clustrategy.owndata.analyze import analyze

            return analyze
        case "calibrate":
            from clustrategy.owndata.calibrate import calibrate

            return calibrate
        case "fit":
            from clustrategy.owndata.fit import fit

            return fit
        case "performance":
            from clustrategy.evaluation.performance import performance

            return performance
        case "plan":
            from clustrategy.planning.plan import plan

            return plan
        case "plot":
            from clustrategy.figures.own_data.plot import plot

            return plot
        case "read_table":
            from clustrategy.tables.user_files import read_table

            return read_table
        case "simulate":
            from clustrategy.dgp import simulate

            return simulate
        case "verdicts":
            from clustrategy.evaluation.verdicts import verdicts

            return verdicts
    raise AttributeError(f"module 'clustrategy' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

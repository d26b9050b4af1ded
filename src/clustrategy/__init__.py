"""clustrategy: which analysis of clustered data to trust, answered by simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Study", "analyze", "performance", "simulate", "verdicts"]

if TYPE_CHECKING:
    from clustrategy.dgp import simulate
    from clustrategy.evaluation import performance
    from clustrategy.evaluation.verdicts import verdicts
    from clustrategy.owndata.analyze import analyze
    from clustrategy.study.study import Study


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: a job pays for what it uses alone."""
    match name:
        case "Study":
            from clustrategy.study.study import Study

            return Study
        case "analyze":
            from clustrategy.owndata.analyze import analyze

            return analyze
        case "performance":
            from clustrategy.evaluation.performance import performance

            return performance
        case "simulate":
            from clustrategy.dgp import simulate

            return simulate
        case "verdicts":
            from clustrategy.evaluation.verdicts import verdicts

            return verdicts
    raise AttributeError(f"module 'clustrategy' has no attribute {name!r}")

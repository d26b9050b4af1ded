"""clustrategy: which analysis of clustered data to trust, answered by simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Study", "analyze", "performance", "simulate"]

if TYPE_CHECKING:
    from clustrategy.dgp import simulate
    from clustrategy.evaluation import performance
    from clustrategy.owndata.analyze import analyze
    from clustrategy.study.study import Study

_HOMES = {
    "Study": "study.study",
    "analyze": "owndata.analyze",
    "performance": "evaluation.performance",
    "simulate": "dgp",
}


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: a job pays for what it uses alone."""
    if name not in _HOMES:
        raise AttributeError(f"module 'clustrategy' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"clustrategy.{_HOMES[name]}"), name)

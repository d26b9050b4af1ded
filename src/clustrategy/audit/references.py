"""Which engines audit a strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clustrategy.core.errors import ConfigError, EngineError
from clustrategy.engines.chosen import Strategy
from clustrategy.strategies.registry import DEFAULT_ENGINE

MIXED = {"lme4": ("lme4", "lme4_unbounded"), "glmm": ("glmm",)}
"""The references of mixed models, by the `engine` that a config's `audit` asks for."""

LEAST_SQUARES = "statsmodels"
"""The reference of all other strategies."""


def audited(strategy: Strategy, engine: str) -> Strategy:
    """Return what is audited in the name of a study's strategy.

    A reference cannot be audited by itself: where it is the study's engine, the default engine
    takes its place and shows what it missed.
    """
    if strategy.engine in (*MIXED[engine], LEAST_SQUARES):
        return Strategy.parse({**strategy.spec, "engine": DEFAULT_ENGINE})
    return strategy


def references(strategy: Strategy, engine: str) -> list[Strategy]:
    """List the references of a strategy, whether they can run here or not.

    Parameters
    ----------
    strategy : Strategy
        A strategy of the study.
    engine : str
        The reference of mixed models, a key of `MIXED`.
    """
    names = MIXED[engine] if engine in strategy.engines else (LEAST_SQUARES,)
    found = []
    for name in names:
        if name not in strategy.engines:
            continue
        try:
            found.append(Strategy.parse({**strategy.brief, "engine": name}))
        except ConfigError:  # the reference does not have these options
            continue
    return found


def plan(
    strategies: Sequence[Strategy], engine: str
) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """Find the references that can run here.

    Parameters
    ----------
    strategies : Sequence of Strategy
        The strategies of the study.
    engine : str
        The reference of mixed models, a key of `MIXED`.

    Returns
    -------
    entries : dict of str to list of dict
        The references of each label, as `Strategy.spec` gives them.
    missing : str
        Why a reference cannot run here, in one sentence; empty where all can.
    """
    entries: dict[str, list[dict[str, Any]]] = {}
    missing = ""
    for strategy in strategies:
        entries[strategy.label] = []
        for reference in references(strategy, engine):
            try:
                reference.check()
            except EngineError as error:
                missing = missing or str(error)
            else:
                entries[strategy.label].append(reference.spec)
    return entries, missing

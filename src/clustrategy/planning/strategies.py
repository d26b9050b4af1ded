"""The strategies that are planned for where none are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clustrategy.core.errors import ConfigError
from clustrategy.design.from_table import Design
from clustrategy.engines.chosen import Strategy, parse_all
from clustrategy.owndata.defaults import MAXIMAL, by_label, chosen
from clustrategy.owndata.fit import strategies_on

CR2 = {"strategy": "cluster_robust", "name": "OLS CR2", "variance": "CR2", "df": "satterthwaite"}
TWO_STAGE = {"strategy": "two_stage", "name": "two-stage"}

BETWEEN: tuple[dict[str, Any], ...] = (
    {
        "strategy": "mixed_intercept",
        "name": "mixed intercept Kenward-Roger",
        "df": "kenward_roger",
    },
    {"strategy": "mixed_intercept", "name": "mixed intercept Satterthwaite"},
    CR2,
    TWO_STAGE,
)
"""Of a treatment of whole clusters; two-stage regression is the t test on their means."""

WITHIN: tuple[dict[str, Any], ...] = (
    MAXIMAL,
    TWO_STAGE,
    CR2,
    {
        "strategy": "fixed_effects",
        "name": "fixed effects CR2",
        "variance": "CR2",
        "df": "satterthwaite",
    },
)
"""Of a treatment within clusters, whose effect may vary between them."""


def strategies_for(
    named: Sequence[str | Mapping[str, Any]] | None,
    *,
    within: bool,
    engine: str | None,
    design: Design | None,
) -> list[Strategy]:
    """Return the strategies to plan for.

    Parameters
    ----------
    named : sequence of str or mapping, optional
        Names, also those of default ones, or entries as under `strategies:`; the default ones
        unless some are named.
    within : bool
        Whether the predictor of interest varies within clusters.
    engine : str, optional
        Of the strategies that have it and name none themselves.
    design : Design, optional
        Of the table, where there is one.

    Raises
    ------
    ConfigError, EngineError
        As of `fit`; or if a strategy is not known to depend on coefficients by a shift.
    """
    if named is not None:
        own = {one["name"]: one for one in (*BETWEEN, *WITHIN)}
        entries = [own.get(one) or by_label(one) if isinstance(one, str) else one for one in named]
        found = (
            parse_all(entries, engine)
            if design is None
            else strategies_on(design, entries, engine=engine)
        )
    else:
        first, *others = WITHIN if within else BETWEEN
        if design is not None and design.random is not None:
            first = chosen(design.random)
        found = parse_all([first, *others], engine)
    for strategy in found:
        strategy.check()
        if not strategy.equivariant:
            raise ConfigError(
                f"strategy {strategy.label!r} is not known to be equivariant, so that its power "
                "does not follow from studies without an effect"
            )
    return found

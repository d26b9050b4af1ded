"""The strategies that a table is analysed by where none are named."""

from __future__ import annotations

from typing import Any

from clustrategy.design.random_effects import RandomEffects

MAXIMAL = {
    "strategy": "mixed_maximal",
    "name": "mixed maximal Kenward-Roger",
    "df": "kenward_roger",
}
"""Stands aside where the random effects are named."""

_BEFORE: tuple[dict[str, Any], ...] = (
    {
        "strategy": "cluster_robust",
        "name": "OLS CR2",
        "variance": "CR2",
        "df": "satterthwaite",
    },
    {"strategy": "wild_cluster_bootstrap", "name": "OLS wild bootstrap"},
    {"strategy": "two_stage", "name": "two-stage"},
)
_BEHIND: tuple[dict[str, Any], ...] = (
    {"strategy": "mixed_intercept", "name": "mixed intercept CR2", "variance": "CR2"},
    {
        "strategy": "fixed_effects",
        "name": "fixed effects CR2",
        "variance": "CR2",
        "df": "satterthwaite",
    },
    {"strategy": "cluster_robust", "name": "OLS CR1S"},
    {"strategy": "ols", "name": "OLS"},
)


def default_strategies(random: RandomEffects | None = None) -> list[dict[str, Any]]:
    """Return what a careful methodologist would show, and what papers usually have.

    Parameters
    ----------
    random : RandomEffects, optional
        The random effects of the mixed model, where they are not as many as there can be.

    Returns
    -------
    list of dict
        As under `strategies:` in a config.
    """
    return [*_BEFORE, MAXIMAL if random is None else chosen(random), *_BEHIND]


def chosen(random: RandomEffects) -> dict[str, Any]:
    """Return the entry of a mixed model with these random effects."""
    return {
        "strategy": "mixed",
        "name": "mixed as given Kenward-Roger",
        "random": list(random.coefficients),
        "correlated": random.correlated,
        "df": "kenward_roger",
    }


def by_label(label: str, random: RandomEffects | None = None) -> str | dict[str, Any]:
    """Return the default entry of this label, or the text itself where it is none."""
    return next((one for one in default_strategies(random) if one["name"] == label), label)

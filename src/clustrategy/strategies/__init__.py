"""The strategies, one thin registered function each, and what a strategy of one's own needs."""

from __future__ import annotations

from clustrategy.core.fits import Fit, Fits, fit_each
from clustrategy.core.shard import Shard
from clustrategy.strategies.registry import strategy

# isort: split
# Importing a module registers its strategies.
from clustrategy.strategies import (  # noqa: F401
    cluster_robust,
    fixed_effects,
    gee,
    mixed,
    mixed_selection,
    ols,
    two_stage,
    wild_cluster_bootstrap,
)

__all__ = ["Fit", "Fits", "Shard", "fit_each", "strategy"]

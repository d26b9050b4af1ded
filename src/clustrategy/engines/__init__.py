"""Adapters: strategies as other packages compute them, one file a package."""

from __future__ import annotations

# Importing a module registers its engine.
from clustrategy.engines import (  # noqa: F401
    glmm,
    lme4,
    lme4_unbounded,
    statsmodels,
    statsmodels_gee,
)

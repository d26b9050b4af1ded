"""Ordinary least squares."""

from __future__ import annotations

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Shard
from clustrategy.estimation.least_squares import fit_ols, joint_ols
from clustrategy.strategies.registry import strategy


@strategy("ols", equivariant=True, joint=joint_ols)
def ols(shard: Shard) -> Fits:
    """Fit ordinary least squares with classical standard errors, t with N - p df."""
    return fit_ols(shard)

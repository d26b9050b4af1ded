"""The option `draws` of the strategies that resample."""

from __future__ import annotations


def no_draws(draws: int = 1, **options: object) -> str:
    """Say that there must be draws, where there are none."""
    return "" if draws >= 1 else f"draws must be at least 1, found {draws}"

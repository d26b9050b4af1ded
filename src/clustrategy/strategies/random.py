"""The option `random` of the strategies that let a config name the random effects."""

from __future__ import annotations

from collections.abc import Sequence

from clustrategy.core.shard import INTERCEPT
from clustrategy.estimation.mixed.models import unknown_name


def twice(random: Sequence[str] = (), **options: object) -> str:
    """Say which coefficient is listed twice."""
    again = next((name for place, name in enumerate(random) if name in random[:place]), None)
    return "" if again is None else f"random lists {again!r} twice"


def no_such_coefficient(
    terms: Sequence[str], random: Sequence[str] = (INTERCEPT,), **options: object
) -> str:
    """Say which random coefficient a model with these terms does not have."""
    unknown = unknown_name(random, terms)
    return f"random must name coefficients of the model, {unknown}" if unknown else ""

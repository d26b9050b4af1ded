"""The tidy table of several strategies' fits to one dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clustrategy.core.fits import Fits
from clustrategy.engines.chosen import Strategy
from clustrategy.tables.estimates import NULLS, estimates_table

if TYPE_CHECKING:
    import pandas as pd


def tidy(
    terms: Sequence[str], strategies: Sequence[Strategy], fits: Sequence[Fits]
) -> pd.DataFrame:
    """Return a row per strategy and term.

    Parameters
    ----------
    terms : sequence of str
        The p coefficients.
    strategies, fits : sequence of Strategy and of Fits
        What was fitted to one dataset.

    Returns
    -------
    DataFrame
        As `analyze` returns it.
    """
    import pandas as pd

    parts = []
    for strategy, fit in zip(strategies, fits, strict=True):
        part = estimates_table(fit, terms, [0], strategy.label, strategy.engine).to_pandas()
        part = part.drop(columns=["sim", NULLS])
        parts.append(part.assign(status=fit.status[0], message=fit.message[0]))
    found = pd.concat(parts, ignore_index=True)
    if not found["p_value_low"].notna().any():
        found = found.drop(columns="p_value_low")
    return found

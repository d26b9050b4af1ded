"""How far two fits to the same dataset are apart: the one measure that the audit has.

Everything is in units of the first fit, the audited one: an estimate in units of itself or of its
standard error, whichever is larger, standard errors and degrees of freedom in units of themselves.
P-values differ by what they differ by. Equal numbers are not apart, infinite ones included, and
numbers that one of the two fits lacks have no distance (NaN).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from clustrategy.core.fits import Fits
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import Floats

if TYPE_CHECKING:
    import pandas as pd


class Numbers(NamedTuple):
    """What two fits are compared by, arrays of one shape: a number per coefficient."""

    estimate: Floats
    std_error: Floats
    df: Floats
    p_value: Floats

    @classmethod
    def of(cls, fits: Fits) -> Numbers:
        """Take the (S, p) numbers of fits, with the p-values of t tests."""
        numbers = (fits.estimate, fits.std_error, fits.df)
        return cls(*numbers, t_inference(*numbers).p_value)


def distance(found: Numbers, reference: Numbers) -> Numbers:
    """Return how far a reference's numbers are from those that were found.

    Parameters
    ----------
    found, reference : Numbers
        The numbers of the audited fits and of the reference's.

    Returns
    -------
    Numbers
        The distances, in the same shape.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = np.fmax(np.abs(found.estimate), found.std_error)
        apart = (
            np.abs(found.estimate - reference.estimate) / unit,
            np.abs(reference.std_error / found.std_error - 1.0),
            np.abs(reference.df / found.df - 1.0),
            np.abs(reference.p_value - found.p_value),
        )
    pairs = zip(apart, found, reference, strict=True)
    return Numbers(*(np.where(one == other, 0.0, away) for away, one, other in pairs))


def distances(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the distances in the rows of the audit's table.

    Parameters
    ----------
    rows : DataFrame
        Rows of `comparison.AUDIT`.

    Returns
    -------
    DataFrame
        A row for each: `estimate`, `std_error`, `df`, `p_value`, and how far the two REML criteria
        are above the least of all engines, `criterion` and `reference_criterion`.
    """
    import pandas as pd

    found, reference = (
        Numbers(*(rows[f"{prefix}{name}"].to_numpy(dtype=float) for name in Numbers._fields))
        for prefix in ("", "reference_")
    )
    away = pd.DataFrame(distance(found, reference)._asdict(), index=rows.index)
    return away.assign(
        criterion=rows["reml_criterion"] - rows["best_reml_criterion"],
        reference_criterion=rows["reference_reml_criterion"] - rows["best_reml_criterion"],
    )

"""How far audited fits are from those of the reference engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clustrategy.audit.distance import distances
from clustrategy.audit.tolerances import CRITERION, DF, ESTIMATE, STD_ERROR
from clustrategy.audit.verdicts import FAULTS

STATSMODELS = "statsmodels"

OFF_OPTIMUM = {
    "reference_short": "stopped short of the optimum",
    "reference_slack": "within lme4's tolerance of it",
}
REFERENCE_AT_FAULT = {**OFF_OPTIMUM, "reference_df": "lmerTest's numerical df"}
ENGINE_AT_FAULT = FAULTS
FAILED = {"reference_failed": "reference", "engine_failed": "engine", "both_failed": "both"}


@dataclass(frozen=True)
class ComparedNumber:
    """A number of a fit in which engine and reference are compared.

    Attributes
    ----------
    name, title : str
        The column of what `differences` returns, and what it is.
    bound : float
        The largest difference that the audit allows mixed models, infinite if there is no bound.
    faults : sequence of str
        The verdicts that say that the reference is off in this number.
    """

    name: str
    title: str
    bound: float
    faults: Sequence[str]


COMPARED = (
    ComparedNumber(
        "criterion", "REML criterion above the least of all engines", CRITERION, [*OFF_OPTIMUM]
    ),
    ComparedNumber(
        "estimate",
        "estimate: difference relative to it or, if larger, its standard error",
        ESTIMATE,
        [*OFF_OPTIMUM],
    ),
    ComparedNumber("std_error", "standard error: relative difference", STD_ERROR, [*OFF_OPTIMUM]),
    ComparedNumber("df", "degrees of freedom: relative difference", DF, [*REFERENCE_AT_FAULT]),
    ComparedNumber("p_value", "p value: difference", np.inf, [*REFERENCE_AT_FAULT]),
)


def differences(audit: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    """Return how far each audited fit is from its reference, at the term at which it is farthest.

    Returns
    -------
    DataFrame
        Factors, sim, strategy, reference, verdict, and the differences in the numbers of
        `COMPARED`, NaN where one of the two fits has no number. ``criterion`` is how far the
        engine's REML criterion is above the least of all engines, ``reference_criterion`` how far
        the reference's is.
    """
    key = [*factors, "sim", "strategy", "reference", "verdict"]
    away = audit[key].join(distances(audit))
    return away.groupby(key, as_index=False, sort=False).max()

"""How far audited fits are from those of the reference engines, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clustrategy.audit import tolerances as bounds
from clustrategy.audit.distance import distances
from clustrategy.audit.verdicts import FAULTS

STATSMODELS = "statsmodels"

SHORT = {
    "reference_short": "stopped short of the optimum",
    "reference_slack": "within lme4's tolerance of it",
}
REFERENCE_AT_FAULT = {**SHORT, "reference_df": "lmerTest's numerical df"}
ENGINE_AT_FAULT = FAULTS
FAILED = {"reference_failed": "reference", "engine_failed": "engine", "both_failed": "both"}


@dataclass(frozen=True)
class Measure:
    """A number by which engine and reference are compared.

    Attributes
    ----------
    name
        Its column among the :func:`differences`.
    title
        What it is.
    bound
        How much it may be for mixed models, infinite if that is not bounded.
    faults
        The verdicts by which the reference is at fault in it.
    """

    name: str
    title: str
    bound: float
    faults: Sequence[str]


MEASURES = (
    Measure(
        "criterion", "REML criterion above the least of all engines", bounds.CRITERION, [*SHORT]
    ),
    Measure(
        "estimate",
        "estimate: difference relative to it or, if larger, its standard error",
        bounds.ESTIMATE,
        [*SHORT],
    ),
    Measure("std_error", "standard error: relative difference", bounds.STD_ERROR, [*SHORT]),
    Measure("df", "degrees of freedom: relative difference", bounds.DF, [*REFERENCE_AT_FAULT]),
    Measure("p_value", "p value: difference", np.inf, [*REFERENCE_AT_FAULT]),
)


def differences(audit: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    """Return how far each audited fit is from its reference, at the term where that is most.

    Parameters
    ----------
    audit
        Factors, sim, strategy, reference, term, verdict, and the numbers of the study's engine
        and, as ``reference_…``, of the reference.

    Returns
    -------
    differences
        Factors, sim, strategy, reference, verdict, and the columns of :data:`MEASURES`, NaN where
        one of the two has no number; ``reference_criterion`` is the reference's own.
    """
    key = [*factors, "sim", "strategy", "reference", "verdict"]
    away = audit[key].join(distances(audit))
    return away.groupby(key, as_index=False, sort=False).max()

"""Audited fits: how far they are from those of the reference engines, and how lme4's ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clustrategy.audit.distance import distances
from clustrategy.audit.tolerances import CRITERION, DF, ESTIMATE, SHORT, STD_ERROR
from clustrategy.audit.verdicts import FAULTS
from clustrategy.figures.parts.stacks import Outcome

STATSMODELS = "statsmodels"

OFF_OPTIMUM = {
    "reference_short": "stopped short of the optimum",
    "reference_slack": "within its tolerance of it",
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


OUTCOMES = {
    "singular": Outcome("singular at the optimum", 0.0),
    "warned": Outcome("warned at the optimum", 0.65, "/////"),
    "short": Outcome("stopped short of it", 0.35, "\\\\\\\\\\"),
    "error": Outcome("no fit", 0.0, "xxxxx", dark=True),
}
FLAGS = ["optimizer_warning", "gradient_warning", "hessian_warning"]


def outcomes(audit: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    """Return how each fit by lme4 in the audit ended.

    Returns
    -------
    DataFrame
        Factors, sim, strategy and ``outcome``: the first of error, short, singular and warned that
        is true, else ok.
    """
    key = [*factors, "sim", "strategy"]
    fits = audit.drop_duplicates([*key, "reference"])
    own = fits[[*key, "best_reml_criterion", "reml_criterion", "singular"]]
    others = fits[[*key, "best_reml_criterion", "reference_reml_criterion", "reference_singular"]]
    optima = pd.concat([own, others.set_axis(own.columns, axis=1)])
    excess = optima["reml_criterion"] - optima["best_reml_criterion"]
    optima = optima[excess <= CRITERION].drop_duplicates(key)
    lme4 = fits[fits["reference"] == "lme4"]
    theirs = lme4.filter(like="reference_").rename(columns=lambda name: name[len("reference_") :])
    best = lme4[key].merge(optima[[*key, "singular"]], how="left")["singular"]
    outcome = np.select(
        [
            theirs["status"].isin(["error", "undefined"]),
            theirs["reml_criterion"] - lme4["best_reml_criterion"] > SHORT,
            best.eq(True).to_numpy(),
            theirs[FLAGS].any(axis=1),
        ],
        ["error", "short", "singular", "warned"],
        "ok",
    )
    return lme4[key].assign(outcome=outcome)


def in_words(fits: pd.DataFrame) -> str:
    """Say what the bars of the fits by lme4 count."""
    return (
        f"Bottom: lme4's {len(fits):,} fits of the same datasets, each counted once, as what holds "
        "first of: no fit; stopped short, its REML criterion more than 1e-4 above the least of all "
        "engines; singular; warned."
    )

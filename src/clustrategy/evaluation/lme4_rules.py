"""Which fits failed by the rules of lme4, which changed in November 2018."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Rule = Literal["<=1.1-18", ">=1.1-19"]
RULES: tuple[Rule, ...] = get_args(Rule)


def failures(fits: Mapping[str, ArrayLike], rule: Rule) -> NDArray[np.bool_]:
    """Return (S,) which fits failed by the rule of a version of lme4.

    Up to 1.1-18 lme4 checked gradient and Hessian of every fit and said nothing of singular ones.
    From 1.1-19 on it says that a fit is singular, and leaves the two checks out there.

    Parameters
    ----------
    fits : Mapping of str to (S,) array
        Columns of the fits: status, optimizer_warning, gradient_warning and hessian_warning.
    rule : {"<=1.1-18", ">=1.1-19"}
        The default settings of that version. The fits are judged by it, not made again by its
        optimizer.
    """
    status = np.asarray(fits["status"])
    if rule == ">=1.1-19":
        return np.asarray(status != "ok", dtype=bool)
    failed = np.isin(status, ("undefined", "error"))
    for check in ("optimizer_warning", "gradient_warning", "hessian_warning"):
        failed = failed | np.asarray(fits[check], dtype=bool)
    return failed

"""Standard errors and degrees of freedom of the fixed effects of a mixed model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from clustrategy.core.shard import Floats
from clustrategy.estimation.mixed.cr2 import cr2
from clustrategy.estimation.mixed.kenward_roger import kenward_roger
from clustrategy.estimation.mixed.reml import Point
from clustrategy.estimation.mixed.satterthwaite import satterthwaite

Df = Literal["satterthwaite", "kenward_roger", "normal"]
Variance = Literal["model", "CR2"]


class Uncertainty(NamedTuple):
    """Standard errors and degrees of freedom of the coefficients of X.

    Attributes
    ----------
    std_error, df : (S, p) array
        Standard errors, NaN where the variance is not positive, and degrees of freedom.
    """

    std_error: Floats
    df: Floats


@dataclass(frozen=True)
class StandardErrors:
    """How standard errors and degrees of freedom come from a fit.

    Attributes
    ----------
    df : str
        Satterthwaite's degrees of freedom (Giesbrecht & Burns 1985), Kenward and Roger's (1997),
        with their variance, or infinite ones.
    variance : str
        The model's own variance, or CR2 (Pustejovsky & Tipton 2018), whose Satterthwaite degrees
        of freedom are those of the sandwich with the fitted model for the working one.
    """

    df: Df
    variance: Variance

    def of(self, point: Point) -> Uncertainty:
        """Compute them for the coefficients of X.

        Parameters
        ----------
        point : Point
            The optimum.

        Returns
        -------
        Uncertainty
        """
        criterion = point.criterion
        contrasts = criterion.root @ point.J
        unit = criterion.scale * np.sqrt(point.rss / criterion.nu)
        df = np.full(contrasts.shape[:2], np.inf)
        if self.variance == "CR2":
            unit = criterion.scale
            variance, df = cr2(point, contrasts)
        elif self.df == "kenward_roger":
            basis = criterion.structure.basis
            basis = np.broadcast_to(basis, (criterion.sims, *basis.shape[1:]))
            variance, df = kenward_roger(point, contrasts, basis)
        else:
            variance = (contrasts * contrasts).sum(axis=2)
            if self.df == "satterthwaite":
                df = satterthwaite(point.derivatives(), contrasts)
        if self.df == "normal":
            df = np.full(contrasts.shape[:2], np.inf)
        return Uncertainty(unit[:, None] * np.sqrt(np.where(variance > 0.0, variance, np.nan)), df)

"""Standard errors and degrees of freedom of the fixed effects of a mixed model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Floats, Ints
from clustrategy.estimation.mixed.cr2 import Sandwich, cr2, joint_cr2
from clustrategy.estimation.mixed.kenward_roger import (
    Adjustment,
    joint_kenward_roger,
    kenward_roger,
)
from clustrategy.estimation.mixed.reml import Point
from clustrategy.estimation.mixed.satterthwaite import joint_satterthwaite, satterthwaite
from clustrategy.estimation.wald import NO_VARIANCE, Turned

Df = Literal["satterthwaite", "kenward_roger", "normal"]
Variance = Literal["model", "CR2"]


class Uncertainty(NamedTuple):
    """Standard errors and degrees of freedom of the coefficients of X.

    Attributes
    ----------
    std_error, df : (S, p) array
        Standard errors, NaN where the variance is not positive, and degrees of freedom.
    joint : JointTests
        Tests of groups of them.
    """

    std_error: Floats
    df: Floats
    joint: JointTests


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
    groups : tuple of (q,) array of int
        Groups of coefficients to test jointly: by F with degrees of freedom as of
        `joint_satterthwaite`, `joint_kenward_roger` or `joint_cr2`, or by chi-squared over q.
    """

    df: Df
    variance: Variance
    groups: tuple[Ints, ...] = ()

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
            parts = Sandwich.of(point, contrasts)
            variance, df = cr2(parts)
        elif self.df == "kenward_roger":
            basis = criterion.structure.basis
            basis = np.broadcast_to(basis, (criterion.sims, *basis.shape[1:]))
            adjustment = Adjustment.of(point, basis)
            variance, df = kenward_roger(adjustment, contrasts)
        else:
            variance = (contrasts * contrasts).sum(axis=2)
            if self.df == "satterthwaite":
                derivatives = point.derivatives()
                df = satterthwaite(derivatives, contrasts)
        if self.df == "normal":
            df = np.full(contrasts.shape[:2], np.inf)
        joint = JointTests.blank(criterion.sims, self.groups)
        relative = criterion.estimate(point.beta) / unit[:, None]
        for place, group in enumerate(self.groups):
            estimate, rows = relative[:, group], contrasts[:, group]
            den_df = np.full(criterion.sims, np.inf)
            if self.variance == "CR2":
                squares, statistic, den_df = joint_cr2(parts, group, estimate)
                if self.df == "normal":
                    statistic, den_df = squares / group.size, np.full(criterion.sims, np.inf)
            elif self.df == "kenward_roger":
                statistic, den_df = joint_kenward_roger(adjustment, rows, estimate)
            else:
                statistic = (Turned.of(rows)(estimate) ** 2).sum(axis=1) / group.size
                if self.df == "satterthwaite":
                    den_df = joint_satterthwaite(derivatives, rows)
            joint.fill(place, statistic, den_df, NO_VARIANCE)
        std_error = unit[:, None] * np.sqrt(np.where(variance > 0.0, variance, np.nan))
        return Uncertainty(std_error, df, joint)

"""Cluster-robust variances of the fixed effects of a mixed model: CR2 and its degrees of freedom.

Bell & McCaffrey (2002, Survey Methodology 28, 169-181) and Pustejovsky & Tipton (2018, JBES 36,
672-683), the estimated V for both the weights' inverse and the working model, as clubSandwich
has it of a model fitted by lme4. Marginal residuals e_g = y_g - X_g beta; M is the inverse of
sum_g X_g' V_g^-1 X_g, B_g = V_g - X_g M X_g' the variance of e_g were V right, and
A_g = D_g' (D_g B_g D_g')^(-1/2) D_g with V_g = D_g' D_g, so that A_g B_g A_g' = V_g.
"""

from __future__ import annotations

import numpy as np

from clustrategy.dataset import Floats
from clustrategy.reml import Point

EIGENVALUE_TOLERANCE = 1e-12


def cr2(point: Point, triangles: Floats, contrasts: Floats) -> tuple[Floats, Floats]:
    """(S, k) CR2 variances of contrasts and (S, k) their Satterthwaite degrees of freedom.

    The variances are in the criterion's coordinates, in which the response is residual / scale:
    times `criterion.scale ** 2` they are those of the contrasts of X's coefficients.

    Parameters
    ----------
    point : at the optimum.
    triangles : (S, G, p + 1, p + 1) the clusters' triangles that `Criterion.of` was given; what
        is constant within what Z_g sees is pooled in the criterion.
    contrasts : (S, k, p) in the coordinates of J, as `satterthwaite` takes them.
    """
    raise NotImplementedError

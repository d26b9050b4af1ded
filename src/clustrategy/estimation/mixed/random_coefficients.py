"""The random coefficients of a fitted mixed model: which they are, and how they vary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Floats, Ints
from clustrategy.estimation.mixed.covariance import columnwise

RESIDUAL = "sd__Observation"
"""What broom.mixed calls the residual standard deviation."""

NOT_MIXED = "not a mixed model: no coefficient is random"


def absence(fits: Fits, sim: int = 0) -> str:
    """Say why a fit has no random coefficients.

    Parameters
    ----------
    fits : Fits
        Of a strategy, as it returned them: files do not keep which coefficients are random.
    sim : int
        Which dataset.

    Returns
    -------
    str
        Empty where it has some.
    """
    if not fits.random[sim].any():
        return NOT_MIXED
    if fits.status[sim] not in ("ok", "singular"):
        return f"no usable fit: {fits.message[sim] or fits.status[sim]}"
    return ""


@dataclass(frozen=True)
class RandomCoefficients:
    """The random coefficients of one fit; a cluster's are normal, of mean 0.

    Attributes
    ----------
    columns : (q,) array of int
        The columns of X whose coefficients are random.
    factor : (q, q) array
        The lower triangular L: their covariance matrix is sigma^2 L L'.
    sigma : float
        The residual standard deviation.
    correlated : bool
        Whether they may correlate.
    """

    columns: Ints
    factor: Floats
    sigma: float
    correlated: bool

    @classmethod
    def of(cls, fits: Fits, sim: int = 0) -> RandomCoefficients:
        """Read them from a fit of any mixed model, by any engine.

        Parameters
        ----------
        fits : Fits
            As of `absence`.
        sim : int
            Which dataset.

        Returns
        -------
        RandomCoefficients

        Raises
        ------
        ValueError
            Where there are none; it says why, as `absence` does.
        """
        if reason := absence(fits, sim):
            raise ValueError(reason)
        columns = np.flatnonzero(fits.random[sim])
        theta = fits.theta[sim][np.isfinite(fits.theta[sim])]
        q = columns.size
        correlated = theta.size == q * (q + 1) // 2
        factor = np.zeros((q, q))
        factor[columnwise(q) if correlated else np.diag_indices(q)] = theta
        return cls(columns, factor, float(fits.sigma[sim]), correlated)

    def components(self, terms: Sequence[str]) -> dict[str, float]:
        """Return the variance components, lme4's `VarCorr`.

        Parameters
        ----------
        terms : sequence of str
            The names of the columns of X.

        Returns
        -------
        dict
            Standard deviations and correlations by broom.mixed's names and in its order:
            `sd__(Intercept)`, `sd__IV1`, `cor__(Intercept).IV1`, and of the residuals
            `sd__Observation`. A correlation with a coefficient that does not vary is NaN; there is
            none of coefficients that may not correlate.
        """
        names = [terms[column] for column in self.columns]
        lengths = np.sqrt((self.factor * self.factor).sum(axis=1))
        found = {
            f"sd__{name}": self.sigma * float(length)
            for name, length in zip(names, lengths, strict=True)
        }
        if self.correlated:
            with np.errstate(invalid="ignore"):
                axes = self.factor / lengths[:, None]
            products = axes @ axes.T
            for first, second in zip(*np.triu_indices(len(names), 1), strict=True):
                correlation = float(products[first, second])
                found[f"cor__{names[first]}.{names[second]}"] = correlation
        return {**found, RESIDUAL: self.sigma}

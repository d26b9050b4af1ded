"""The mixed model from which scenarios about one's own table start."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.design.random_effects import RandomEffects
from clustrategy.design.variation import FEWEST_WITHIN, variation
from clustrategy.estimation.mixed.fit import fit_model
from clustrategy.estimation.mixed.models import MixedModel, random_columns
from clustrategy.estimation.mixed.profile import Limits, Profile
from clustrategy.estimation.mixed.random_coefficients import RandomCoefficients
from clustrategy.estimation.mixed.standard_errors import StandardErrors

MOST_PROFILED = 3
"""With more random coefficients, their limits are those of a model without correlations, and each
is sought with all else at its estimate: there is too much to optimise again and again."""

CONSTANT_SHARE = 1e-12
"""A column whose standard deviation is a smaller share of its largest number is constant."""

MOST_SPREADS = 4.0
"""Standard deviations of what least squares leaves of the response."""

ZERO_SHARE = 1e-6
"""A standard deviation that is a smaller share of the residuals' is zero but for rounding."""


@dataclass(frozen=True)
class WorkingModel:
    """A mixed model of one table, as far as the rows tell.

    Its random coefficients belong to `scaled`: random intercepts are those at the means of the
    predictors, and slopes are per standard deviation of theirs, so that nothing hangs on where a
    predictor has its zero or on its units.

    Attributes
    ----------
    scaled : Shard
        The dataset, the predictors less `centre` and divided by `unit`.
    centre : (p,) array
        The means of the columns of X, or zeros where the random effects that were asked for do
        not correlate, or have no intercept.
    unit : (p,) array
        Their standard deviations; that of the intercept is 1.
    columns : (q,) array of int
        The columns of X with random coefficients.
    covariance : (q, q) array
        Their covariance matrix.
    sigma : float
        The residual standard deviation.
    correlated : bool
        Whether the random coefficients may correlate.
    estimate : (p,) array
        The coefficients of `scaled`.
    fits : Fits, optional
        The fit, where one was usable.
    said : str
        Which model it is, and why not a larger one.
    """

    scaled: Shard
    centre: Floats
    unit: Floats
    columns: Ints
    covariance: Floats
    sigma: float
    correlated: bool
    estimate: Floats
    fits: Fits | None
    said: str

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the random coefficients."""
        return tuple(self.scaled.terms[column] for column in self.columns)

    @property
    def sd(self) -> Floats:
        """(q,) the standard deviations of the random coefficients."""
        return np.sqrt(np.diagonal(self.covariance))

    @property
    def profiled(self) -> bool:
        """Whether all else is optimised anew in search of a limit."""
        return self.columns.size <= MOST_PROFILED

    @property
    def residuals(self) -> Floats:
        """(N,) the response less the fixed effects."""
        return np.asarray(self.scaled.y - self.scaled.X @ self.estimate)

    def back(self, columns: Ints) -> Floats:
        """Return the (q, q) matrix that takes random coefficients to those of X as it is."""
        matrix = np.diag(1.0 / self.unit[columns])
        names = [self.scaled.terms[column] for column in columns]
        if INTERCEPT in names:
            matrix[names.index(INTERCEPT)] -= self.centre[columns] / self.unit[columns]
        return matrix

    @property
    def spread(self) -> float:
        """The standard deviation of what least squares leaves of the response."""
        y, X = self.scaled.y, self.scaled.X
        return float(np.std(y - X @ np.linalg.lstsq(X, y)[0], ddof=1))

    @property
    def largest(self) -> float:
        """What no limit of a random coefficient's standard deviation is let exceed.

        It is not the response's standard deviation: with few clusters that is an estimate of the
        same thing, and a limit cut there is none.
        """
        return MOST_SPREADS * self.spread

    def limits(self, level: float) -> list[Limits]:
        """Return the profile-likelihood limits of the random coefficients' standard deviations.

        Parameters
        ----------
        level : float
            The confidence level.

        Returns
        -------
        list of Limits
            The estimate lies between them. The upper one is `largest` where it would be beyond
            that, and infinite where the model has no profile.
        """
        profile = self._own_profile
        if profile is None:
            return [Limits(0.0, np.inf) for _ in self.columns]
        found = []
        for place, sd in enumerate(self.sd.tolist()):
            low, high = profile.limits(place, level, self.largest, alone=not self.profiled)
            found.append(Limits(min(low, sd), max(min(high, self.largest), sd)))
        return found

    def upper_limit(self, column: int, level: float, *, alone: bool) -> float:
        """Return the upper limit of a coefficient that is not random in this model.

        Parameters
        ----------
        column : int
            Which column of X.
        level : float
            The confidence level.
        alone : bool
            Whether all else is held at its estimate.

        Returns
        -------
        float
            As `limits`, beside the random coefficients of this model and uncorrelated with them.
        """
        columns = np.append(self.columns, column)
        if self.scaled.y.size <= columns.size * self.scaled.clusters:
            return np.inf
        profile = self._profile(columns, correlated=False)
        if profile is None:
            return np.inf
        found = profile.limits(columns.size - 1, level, self.largest, alone=alone)
        return min(found.high, self.largest)

    @cached_property
    def _own_profile(self) -> Profile | None:
        if self.fits is None:
            return None
        return self._profile(self.columns, correlated=self.correlated and self.profiled)

    def _profile(self, columns: Ints, *, correlated: bool) -> Profile | None:
        rows = int(self.scaled.n_obs[0])
        try:
            return Profile.of(self.scaled.triangles[0], rows, columns, correlated=correlated)
        except ValueError:
            return None


def can_differ(shard: Shard) -> NDArray[np.bool_]:
    """Tell which columns of X may have coefficients that differ between clusters.

    Those of predictors that vary within fewer than `FEWEST_WITHIN` clusters are not among them:
    nothing would tell how much they do.

    Parameters
    ----------
    shard : Shard
        One dataset.

    Returns
    -------
    (p,) array of bool
    """
    within = variation(shard).varies_in
    hardly = (within > 0) & (within < min(FEWEST_WITHIN, shard.clusters))
    return np.asarray(random_columns(shard)[0] & ~hardly)


def working_model(shard: Shard, random: RandomEffects | None) -> WorkingModel:
    """Fit by REML the random intercept and the slopes that vary within clusters.

    Parameters
    ----------
    shard : Shard
        One dataset, X of full rank.
    random : RandomEffects, optional
        The random effects, where they were named.

    Returns
    -------
    WorkingModel
        Of these without correlations, where with them it is unusable or singular; with the
        intercept alone, where that is unusable; with independent rows, where that is unusable, too.
    """
    wanted = can_differ(shard)
    if random is not None:
        wanted = np.isin(shard.terms, random.coefficients)
    columns = np.flatnonzero(wanted)
    intercept = np.flatnonzero(np.array(shard.terms) == INTERCEPT)
    as_named = random is not None and not random.correlated
    centre, unit = np.zeros(shard.p), shard.X.std(axis=0)
    if np.isin(intercept, columns).any() and not as_named:
        centre = shard.X.mean(axis=0)
    largest = np.abs(shard.X).max(axis=0)
    constant = unit <= CONSTANT_SHARE * largest
    centre[constant], unit[constant] = 0.0, largest[constant]
    scaled = Shard(shard.y, (shard.X - centre) / unit, shard.n, shard.terms, shard.seeds)
    tries = [] if as_named else [(columns, True)]
    if columns.size > 1:
        tries += [(columns, False), (intercept, True)]
    elif not np.array_equal(columns, intercept):
        tries.append((intercept, True))
    why = ""
    for tried, correlated in tries:
        if not tried.size:
            continue
        said = _said([shard.terms[column] for column in tried], correlated)
        try:
            fits = fit_model(scaled, _model(tried, correlated), StandardErrors("normal", "model"))
        except np.linalg.LinAlgError:
            why = f" (not {said}: the search for the REML optimum broke down)"
            continue
        status = str(fits.status[0])
        with_correlations = tried.size > 1 and correlated
        if status == "ok" or (status == "singular" and not with_correlations):
            found = RandomCoefficients.of(fits)
            root = found.sigma * found.factor
            root[np.sqrt((root * root).sum(axis=1)) < ZERO_SHARE * found.sigma] = 0.0
            return WorkingModel(
                scaled=scaled,
                centre=centre,
                unit=unit,
                columns=tried,
                covariance=root @ root.T,
                sigma=found.sigma,
                correlated=with_correlations,
                estimate=fits.estimate[0],
                fits=fits,
                said=said + why,
            )
        why = f" (not {said}: {fits.message[0] or status})"
    estimate: Floats = np.asarray(np.linalg.lstsq(scaled.X, scaled.y)[0], dtype=np.float64)
    residuals = scaled.y - scaled.X @ estimate
    return WorkingModel(
        scaled=scaled,
        centre=centre,
        unit=unit,
        columns=intercept,
        covariance=np.zeros((intercept.size, intercept.size)),
        sigma=float(np.sqrt(residuals @ residuals / (shard.y.size - shard.p))),
        correlated=False,
        estimate=estimate,
        fits=None,
        said=f"independent rows{why}",
    )


def _model(columns: Ints, correlated: bool) -> MixedModel:
    def random(shard: Shard) -> NDArray[np.bool_]:
        here = np.isin(np.arange(shard.p), columns)
        return np.broadcast_to(here, (shard.sims, shard.p))

    return MixedModel(random, correlated)


def _said(names: list[str], correlated: bool) -> str:
    """Name a model."""
    slopes = [name for name in names if name != INTERCEPT]
    parts = ["a random intercept"] if INTERCEPT in names else []
    if slopes:
        parts.append(f"random slopes of {', '.join(slopes)}")
    said = " and ".join(parts)
    if len(names) == 1:
        return said
    return f"{said}, {'correlated' if correlated else 'uncorrelated'}"

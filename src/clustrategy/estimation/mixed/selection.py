"""Mixed models whose random effects are chosen by the data.

The fallback simplifies a model that cannot be fitted, as many users of lme4 do by hand. The
selection keeps what the data support (Matuschek, Kliegl, Vasishth, Baayen & Bates 2017, JML 94,
305-315), in the order that Bates, Kliegl, Vasishth & Baayen (2015, arXiv:1506.04967) recommend:
first the correlations go, then the slopes, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.estimation.mixed.covariance import Factor
from clustrategy.estimation.mixed.fit import blocks, datasets_at_once, fill, fit_model
from clustrategy.estimation.mixed.models import (
    INTERCEPT_ONLY,
    MAXIMAL,
    UNCORRELATED,
    intercept_column,
    mark_undefined,
    random_columns,
)
from clustrategy.estimation.mixed.optimizer import Minimum, minimise
from clustrategy.estimation.mixed.reml import Criterion
from clustrategy.estimation.mixed.standard_errors import StandardErrors

ALPHA = 0.2
"""The level of the likelihood ratio tests (Matuschek et al. 2017)."""

By = Literal["LRT", "AIC"]


def fit_fallback(
    shard: Shard, standard_errors: StandardErrors, joint: JointTests | None = None
) -> Fits:
    """Fit the first model that converges and is not singular.

    Parameters
    ----------
    shard : Shard
        The datasets.
    standard_errors : StandardErrors
        How standard errors and degrees of freedom come from a fit.
    joint : JointTests, optional
        Where the tests of the groups of `standard_errors` are put.

    Returns
    -------
    Fits
        Of the maximal model, else the one without correlations, else the random intercept alone,
        which is kept even where it is singular or did not converge.
    """
    fits = fit_model(shard, MAXIMAL, standard_errors, joint=joint)
    slopes = random_columns(shard) & (np.array(shard.terms) != INTERCEPT)
    kept = np.where(slopes.any(axis=1), "maximal", "intercept").astype(object)
    for name, model in (("uncorrelated", UNCORRELATED), ("intercept", INTERCEPT_ONLY)):
        failed = fits.status != "ok"
        if failed.any():
            _replace(fits, failed, fit_model(shard, model, standard_errors, failed, joint))
            kept[failed] = name
    _name_kept(fits, kept)
    return fits


def fit_selected(
    shard: Shard, by: By, standard_errors: StandardErrors, joint: JointTests | None = None
) -> Fits:
    """Fit what backward selection leaves of the maximal model's random effects.

    Parameters
    ----------
    shard : Shard
        The datasets.
    by : str
        LRT takes the next smaller model as long as the likelihood ratio test of the two does not
        reject it at `ALPHA`, chi^2 with the difference of their numbers of parameters, which
        disregards the boundary; AIC takes the least of all models down to the random intercept
        alone.
    standard_errors : StandardErrors
        How standard errors and degrees of freedom come from a fit.
    joint : JointTests, optional
        Where the tests of the groups of `standard_errors` are put.

    Returns
    -------
    Fits
    """
    random, intercept = random_columns(shard), intercept_column(shard)
    fits = Fits.blank(shard.sims, shard.p, MAXIMAL.parameters(int(random.sum(axis=1).max())))
    mark_undefined(shard, intercept, fits)
    kept = np.full(shard.sims, "", dtype=object)
    for sims, criterion in blocks(shard, MAXIMAL, fits.status == "ok"):
        columns = np.flatnonzero(random[sims[0]])
        slopes = np.array(["" if intercept[0, c] else shard.terms[c] for c in columns])
        path = SelectionPath(criterion, slopes)
        for model in path.by_tests() if by == "LRT" else path.by_aic():
            some = sims[model.sims]
            fill(shard, some, model.minimum, standard_errors, fits, joint)
            fits.random[some[:, None], columns[model.columns]] = True
            kept[some] = model.names(slopes)
    _name_kept(fits, kept)
    return fits


@dataclass(frozen=True)
class FittedModel:
    """A model fitted to some datasets of a block; its random columns may differ between them.

    Attributes
    ----------
    sims : (s,) array of int
        Which of the block's datasets.
    columns : (s, m) array of int
        Which of Z's columns have random coefficients.
    criterion : Criterion
        Theirs, in coordinates that are good for where the search ended.
    factor : (s, q, m) array
        L there.
    converged, exhausted : (s,) array of bool
        As of `Minimum`.
    deviance : (s,) array
        The REML criterion, infinite where it has no minimum.
    """

    sims: Ints
    columns: Ints
    criterion: Criterion
    factor: Factor
    converged: NDArray[np.bool_]
    exhausted: NDArray[np.bool_]
    deviance: Floats

    @property
    def minimum(self) -> Minimum:
        """Where the search ended, evaluated once more: most models are passed over."""
        return Minimum(self.criterion.at(self.factor), self.converged, self.exhausted)

    @property
    def correlated(self) -> bool:
        """Whether the random coefficients may correlate."""
        return self.criterion.structure.lower_triangular

    @property
    def parameters(self) -> int:
        """The number of variances and covariances of random coefficients."""
        m = self.columns.shape[1]
        return m * (m + 1) // 2 if self.correlated else m

    def take(self, which: Ints) -> FittedModel:
        """Return the fits to some of its datasets."""
        return FittedModel(
            self.sims[which],
            self.columns[which],
            self.criterion.take(which),
            self.factor[which],
            self.converged[which],
            self.exhausted[which],
            self.deviance[which],
        )

    def names(self, slopes: NDArray[np.str_]) -> list[str]:
        """Return what the model is called in each dataset.

        Parameters
        ----------
        slopes : (q,) array of str
            The predictor of each column of Z, empty for the intercept.

        Returns
        -------
        list of str
        """
        if self.columns.shape[1] == 1:
            return ["intercept"] * self.sims.size
        if self.correlated:
            return ["maximal"] * self.sims.size
        if self.columns.shape[1] == slopes.size:
            return ["uncorrelated"] * self.sims.size
        return [f"uncorrelated ({' + '.join(filter(None, slopes[c]))})" for c in self.columns]


@dataclass(frozen=True)
class SelectionPath:
    """The models from the maximal one down to the random intercept alone.

    Attributes
    ----------
    criterion : Criterion
        The maximal model of a block of datasets.
    slopes : (q,) array of str
        The predictor of each column of Z, empty for the intercept.
    """

    criterion: Criterion
    slopes: NDArray[np.str_]

    def by_tests(self) -> Iterator[FittedModel]:
        """Yield the models that backward selection by likelihood ratio tests ends with."""
        # Imported here because most jobs do not need it.
        from scipy.special import chdtri

        model = self._maximal()
        while model.sims.size and model.parameters > 1:
            smaller = self._next(model)
            bound = chdtri(model.parameters - smaller.parameters, ALPHA)
            with np.errstate(invalid="ignore"):  # neither has a fit
                rejected = smaller.deviance - model.deviance > bound
            if rejected.any():
                yield model.take(np.flatnonzero(rejected))
            model = smaller.take(np.flatnonzero(~rejected))
        if model.sims.size:
            yield model

    def by_aic(self) -> Iterator[FittedModel]:
        """Yield the models of the least AIC."""
        fitted = [self._maximal()]
        while fitted[-1].parameters > 1:
            fitted.append(self._next(fitted[-1]))
        aic = np.array([model.deviance + 2.0 * model.parameters for model in fitted[::-1]])
        best = len(fitted) - 1 - aic.argmin(axis=0)
        for number, model in enumerate(fitted):
            if (best == number).any():
                yield model.take(np.flatnonzero(best == number))

    def _maximal(self) -> FittedModel:
        sims = np.arange(self.criterion.sims)
        return self._fit(sims, self._all(sims.size), correlated=True)

    def _next(self, model: FittedModel) -> FittedModel:
        """Drop the correlations, then the slope whose loss raises the deviance least."""
        if model.correlated:
            return self._fit(model.sims, self._all(model.sims.size))
        s, m = model.columns.shape
        is_slope = self.slopes != ""
        slopes = model.columns[is_slope[model.columns]].reshape(s, m - 1)
        intercept = np.full((s, 1), np.flatnonzero(~is_slope)[0])
        less = [np.delete(slopes, dropped, axis=1) for dropped in range(m - 1)]
        columns = [np.sort(np.concatenate([intercept, left], axis=1), axis=1) for left in less]
        tried = self._fit(np.tile(model.sims, m - 1), np.concatenate(columns))
        best = tried.deviance.reshape(m - 1, s).argmin(axis=0)
        return tried.take(best * s + np.arange(s))

    def _all(self, sims: int) -> Ints:
        return np.tile(np.arange(self.criterion.q), (sims, 1))

    def _fit(self, sims: Ints, columns: Ints, correlated: bool = False) -> FittedModel:
        criterion = self.criterion.take(sims)
        if not correlated:
            criterion = criterion.diagonal(columns)
        effects = criterion.design.shape[3] * columns.shape[1]
        possible = np.flatnonzero(criterion.nu + criterion.p > effects)
        factor = criterion.structure.uniform(0.0, sims.size)
        converged, exhausted = np.zeros((2, sims.size), dtype=bool)
        deviance = np.full(sims.size, np.inf)
        at_once = datasets_at_once(criterion.design.shape[3])
        for start in range(0, possible.size, at_once):
            some = possible[start : start + at_once]
            here = criterion.take(some)
            found = minimise(here)
            deviance[some] = np.where(found.exhausted, np.inf, found.point.reml_criterion)
            if found.point.criterion is not here:  # The search took other coordinates.
                criterion = criterion.put(some, found.point.criterion)
            factor[some] = found.point.factor
            converged[some], exhausted[some] = found.converged, found.exhausted
        return FittedModel(sims, columns, criterion, factor, converged, exhausted, deviance)


def _replace(fits: Fits, where: NDArray[np.bool_], others: Fits) -> None:
    """Replace some fits by those of another model, whose theta may be shorter."""
    for column in fields(Fits):
        mine, theirs = getattr(fits, column.name), getattr(others, column.name)
        if column.name == "theta":
            mine[where] = np.nan
            mine[where, : theirs.shape[1]] = theirs[where]
        else:
            mine[where] = theirs[where]


def _name_kept(fits: Fits, kept: NDArray[np.object_]) -> None:
    """Begin the message of each fit with the name of the model that was kept."""
    for sim in np.flatnonzero(np.isin(fits.status, ("ok", "singular", "not_converged"))):
        fits.tell(sim, f"kept: {kept[sim]}", first=True)

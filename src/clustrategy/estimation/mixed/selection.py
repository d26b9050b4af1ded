"""Mixed models whose random effects are chosen by the data.

The fallback simplifies a model that cannot be fitted, as many users of lme4 do by hand. The
selection keeps what the data support (Matuschek, Kliegl, Vasishth, Baayen & Bates 2017, JML 94,
305-315), in the order that Bates, Kliegl, Vasishth & Baayen (2015, arXiv:1506.04967) recommend:
first the correlations go, then the slopes, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.estimation.mixed.covariance import Unstructured
from clustrategy.estimation.mixed.fit import blocks, datasets_at_once, fill, fit_model
from clustrategy.estimation.mixed.models import (
    INTERCEPT_ONLY,
    MAXIMAL,
    UNCORRELATED,
    intercept_column,
    mark_undefined,
    random_columns,
)
from clustrategy.estimation.mixed.optimizer import Minimum, given_minimum, minimise, minimise_from
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
        path = SelectionPath(shard, sims, np.flatnonzero(random[sims[0]]), criterion)
        for model in path.by_tests() if by == "LRT" else path.by_aic():
            fill(shard, model.sims, path.minimum(model), standard_errors, fits, joint)
            fits.random[model.sims[:, None], model.columns] = True
            kept[model.sims] = model.names(shard.terms, path.columns.size)
    _name_kept(fits, kept)
    return fits


@dataclass(frozen=True)
class FittedModel:
    """A model fitted to some datasets of a block; its random columns may differ between them.

    Attributes
    ----------
    sims : (s,) array of int
        The datasets.
    columns : (s, m) array of int
        Which of X's columns have random coefficients.
    correlated : bool
        Whether these may correlate.
    theta : (s, k) array
        lme4's theta where the search ended.
    converged, exhausted : (s,) array of bool
        As of `Minimum`.
    deviance : (s,) array
        The REML criterion, infinite where it has no minimum.
    """

    sims: Ints
    columns: Ints
    correlated: bool
    theta: Floats
    converged: NDArray[np.bool_]
    exhausted: NDArray[np.bool_]
    deviance: Floats

    @property
    def parameters(self) -> int:
        """The number of variances and covariances of random coefficients."""
        m = self.columns.shape[1]
        return m * (m + 1) // 2 if self.correlated else m

    @property
    def parameters_next(self) -> int:
        """That number of the next smaller model."""
        m = self.columns.shape[1]
        return m if self.correlated else m - 1

    @property
    def spread(self) -> Floats:
        """(s, m) the standard deviations of the random coefficients, relative to sigma."""
        if not self.correlated:
            return self.theta
        factor = Unstructured(self.columns.shape[1]).factor(self.theta)
        return np.sqrt((factor * factor).sum(axis=2))

    def take(self, which: Ints) -> FittedModel:
        """Return the fits to some of its datasets."""
        parts = {name: getattr(self, name)[which] for name in BY_DATASET}
        return replace(self, **parts)

    def put(self, which: Ints, others: FittedModel) -> None:
        """Replace the fits to some of its datasets by those of another model of this size."""
        for name in BY_DATASET:
            getattr(self, name)[which] = getattr(others, name)

    def names(self, terms: Sequence[str], q: int) -> list[str]:
        """Return what the model is called in each dataset.

        Parameters
        ----------
        terms : sequence of str
            The names of X's columns.
        q : int
            The random coefficients of the maximal model.

        Returns
        -------
        list of str
        """
        if self.columns.shape[1] == 1:
            return ["intercept"] * self.sims.size
        if self.correlated:
            return ["maximal"] * self.sims.size
        if self.columns.shape[1] == q:
            return ["uncorrelated"] * self.sims.size
        slopes = [[terms[c] for c in some if terms[c] != INTERCEPT] for some in self.columns]
        return [f"uncorrelated ({' + '.join(some)})" for some in slopes]


BY_DATASET = [part.name for part in fields(FittedModel) if part.name != "correlated"]
"""The attributes of a fitted model whose first axis is the dataset."""


@dataclass(frozen=True)
class SelectionPath:
    """The models from the maximal one down to the random intercept alone.

    Attributes
    ----------
    shard : Shard
        All datasets.
    sims : (s,) array of int
        Those of a block.
    columns : (q,) array of int
        Which of X's columns may have random coefficients in them.
    criterion : Criterion
        Their maximal model.
    """

    shard: Shard
    sims: Ints
    columns: Ints
    criterion: Criterion

    def by_tests(self) -> Iterator[FittedModel]:
        """Yield the models that backward selection by likelihood ratio tests ends with."""
        # Imported here because most jobs do not need it.
        from scipy.special import chdtri

        model = self._maximal()
        while model.sims.size and model.parameters > 1:
            bound = model.deviance + chdtri(model.parameters - model.parameters_next, ALPHA)
            smaller = self._next(model, bound)
            rejected = smaller.deviance > bound
            if rejected.any():
                yield model.take(np.flatnonzero(rejected))
            model = smaller.take(np.flatnonzero(~rejected))
        if model.sims.size:
            yield model

    def by_aic(self) -> Iterator[FittedModel]:
        """Yield the models of the least AIC."""
        least = np.full(self.shard.sims, np.inf)
        best = np.zeros(self.shard.sims, dtype=np.int64)
        fitted: list[FittedModel] = []
        model = self._maximal()
        while model.sims.size:
            aic = model.deviance + 2.0 * model.parameters
            lower = model.sims[aic <= least[model.sims]]
            least[model.sims] = np.minimum(aic, least[model.sims])
            best[lower] = len(fitted)
            fitted.append(model)
            if model.parameters == 1:
                break
            # No smaller model has a lower deviance, nor less than one parameter.
            bound = least[model.sims] - 2.0
            hopeful = np.flatnonzero(model.deviance <= bound)
            model = self._next(model.take(hopeful), bound[hopeful])
        for number, model in enumerate(fitted):
            chosen = np.flatnonzero(best[model.sims] == number)
            if chosen.size:
                yield model.take(chosen)

    def minimum(self, model: FittedModel) -> Minimum:
        """Evaluate where the search for a model ended: most models are passed over."""
        order, criterion = self._criterion(model)
        factor = criterion.structure.from_lme4(model.theta[order], criterion.random_root)
        there = given_minimum(criterion, factor).take(np.argsort(order))
        return Minimum(there.point, model.converged, model.exhausted)

    def _maximal(self) -> FittedModel:
        s, q = self.sims.size, self.columns.size
        none = np.zeros(s, dtype=bool)
        columns, theta = np.tile(self.columns, (s, 1)), np.zeros((s, MAXIMAL.parameters(q)))
        unknown = np.full(s, np.inf)
        return self._fit(FittedModel(self.sims, columns, True, theta, none, none, unknown))

    def _next(self, model: FittedModel, worth: Floats) -> FittedModel:
        """Drop the correlations, then the slope whose loss raises the deviance least.

        A model is searched for as long as its deviance may be no more than it is `worth`, (s,).
        """
        if model.correlated:
            uncorrelated = replace(model, correlated=False, theta=model.spread)
            return self._fit(uncorrelated, worth)
        s, m = model.columns.shape
        slopes = np.array(self.shard.terms)[model.columns] != INTERCEPT
        without = slopes & (model.theta == 0.0) & np.isfinite(model.deviance)[:, None]
        free = without.any(axis=1)
        smaller = self._without(model, np.where(free[:, None], without, slopes).argmax(axis=1))
        lossy = np.flatnonzero(~free)
        if lossy.size:
            each = np.tile(lossy, m - 1)
            place = np.argsort(~slopes[lossy], axis=1, kind="stable")[:, : m - 1]
            starts = self._without(model.take(each), place.T.ravel())
            tried = self._fit(starts, worth[each])
            least = tried.deviance.reshape(m - 1, lossy.size).argmin(axis=0)
            smaller.put(lossy, tried.take(least * lossy.size + np.arange(lossy.size)))
        return smaller

    def _without(self, model: FittedModel, place: Ints) -> FittedModel:
        """Take a random coefficient from each dataset's model, by its place.

        What it explained is then residual, in relation to which the others are smaller.
        """
        s, m = model.columns.shape
        kept = np.arange(m) != place[:, None]
        at = np.arange(s)
        column = self.shard.whole[model.sims, :, model.columns[at, place]]
        share = (column * column).sum(axis=1) / self.shard.n_obs[model.sims]
        more = np.sqrt(1.0 + model.theta[at, place] ** 2 * share)
        return replace(
            model.take(at),
            columns=model.columns[kept].reshape(s, m - 1),
            theta=model.theta[kept].reshape(s, m - 1) / more[:, None],
        )

    def _fit(self, start: FittedModel, worth: Floats | None = None) -> FittedModel:
        """Fit a model, from a start where that has a deviance, and as far as it is worth it."""
        found = replace(
            start,
            theta=np.zeros(start.theta.shape),
            converged=np.zeros(start.sims.size, dtype=bool),
            exhausted=np.zeros(start.sims.size, dtype=bool),
            deviance=np.full(start.sims.size, np.inf),
        )
        effects = self.shard.clusters * start.columns.shape[1]
        possible, near = self.shard.n_obs[start.sims] > effects, np.isfinite(start.deviance)
        at_once = datasets_at_once(self.shard.clusters)
        for which in (np.flatnonzero(possible & near), np.flatnonzero(possible & ~near)):
            for first in range(0, which.size, at_once):
                some = which[first : first + at_once]
                order, criterion = self._criterion(start.take(some))
                some = some[order]
                if worth is not None and near[some[0]]:
                    factor = criterion.structure.from_lme4(start.theta[some], criterion.random_root)
                    minimum = minimise_from(criterion, factor, worth[some])
                else:
                    minimum = minimise(criterion)
                point, there = minimum.point, minimum.point.criterion
                found.theta[some] = there.structure.to_lme4(point.factor, there.random_root)
                found.converged[some] = minimum.converged
                found.exhausted[some] = minimum.exhausted
                found.deviance[some] = np.where(minimum.exhausted, np.inf, point.reml_criterion)
        return found

    def _criterion(self, model: FittedModel) -> tuple[Ints, Criterion]:
        """Return the criterion of a model, and the order in which it has the datasets."""
        sims, columns = model.sims, model.columns
        if columns.shape[1] == self.columns.size:
            criterion = self.criterion.take(np.searchsorted(self.sims, sims))
            return np.arange(sims.size), criterion if model.correlated else criterion.diagonal()
        patterns, which = np.unique(columns, axis=0, return_inverse=True)
        which = which.ravel()
        parts = []
        for number, pattern in enumerate(patterns):
            some = sims[which == number]
            triangles, whole = self.shard.triangles[some], self.shard.whole[some]
            parts.append(Criterion.of(triangles, self.shard.n_obs[some], pattern, whole))
        return np.argsort(which, kind="stable"), Criterion.joined(parts).diagonal()


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

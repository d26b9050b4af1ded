"""Mixed models whose random effects are chosen by the data.

`mixed_fallback` simplifies a model that cannot be fitted, as many users of lme4 do by hand.
`mixed_selected` keeps what the data support: Matuschek, Kliegl, Vasishth, Baayen & Bates (2017,
JML 94, 305-315), on the way down that Bates, Kliegl, Vasishth & Baayen (2015, arXiv:1506.04967)
recommend: first the correlations go, then slopes, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.estimation.mixed import models
from clustrategy.estimation.mixed.fit import Inference, blocks, fill, fit_model
from clustrategy.estimation.mixed.optimizer import Minimum, minimise
from clustrategy.estimation.mixed.reml import Criterion

ALPHA = 0.2
"""Of the likelihood ratio tests (Matuschek et al. 2017)."""

By = Literal["LRT", "AIC"]


def fit_fallback(shard: Shard, inference: Inference) -> Fits:
    """The first that converges and is not singular: maximal, uncorrelated, intercept alone.

    The last is kept whatever became of it.
    """
    fits = fit_model(shard, "mixed_maximal", inference)
    slopes = models.random_columns(shard) & (np.array(shard.terms) != INTERCEPT)
    kept = np.where(slopes.any(axis=1), "maximal", "intercept").astype(object)
    for name in ("mixed_uncorrelated", "mixed_intercept"):
        failed = fits.status != "ok"
        if failed.any():
            _replace(fits, failed, fit_model(shard, name, inference, failed))
            kept[failed] = name.removeprefix("mixed_")
    _say(fits, kept)
    return fits


def fit_selected(shard: Shard, by: By, inference: Inference) -> Fits:
    """What is left of the maximal model after backward selection of its random effects.

    Parameters
    ----------
    by : LRT takes the next smaller model as long as the likelihood ratio test of the two does not
        reject it at `ALPHA`, chi^2 with the difference of their numbers of parameters, the
        boundary left out of account; AIC takes the least of all models on the way to the
        intercept alone.
    """
    random = models.random_columns(shard)
    is_intercept = models.intercept_column(shard)[0]
    q = random.sum(axis=1)
    fits = models.unfitted(shard, models.intercept_column(shard), int((q * (q + 1) // 2).max()))
    kept = np.full(shard.sims, "", dtype=object)
    for sims, criterion in blocks(shard, random, fits.status == "ok"):
        columns = np.flatnonzero(random[sims[0]])
        slopes = np.array(["" if is_intercept[c] else shard.terms[c] for c in columns])
        path = Path(criterion, slopes)
        for model in path.by_tests() if by == "LRT" else path.by_aic():
            some = sims[model.sims]
            fill(shard, some, model.criterion, model.minimum, inference, fits)
            kept[some] = model.words(slopes)
    _say(fits, kept)
    return fits


@dataclass(frozen=True)
class Model:
    """A model of some of the datasets of a block, fitted; of each its own columns are random.

    Attributes
    ----------
    sims : (s,) which of the block's datasets.
    columns : (s, m) which of Z's columns have random coefficients.
    criterion, minimum : of these datasets.
    deviance : (s,) the REML criterion but for what all models share, infinite where there is none.
    """

    sims: Ints
    columns: Ints
    criterion: Criterion
    minimum: Minimum
    deviance: Floats

    @property
    def correlated(self) -> bool:
        """Whether the random coefficients are."""
        return self.criterion.structure.lower

    @property
    def parameters(self) -> int:
        """The number of variances and covariances of random coefficients."""
        m = self.columns.shape[1]
        return m * (m + 1) // 2 if self.correlated else m

    def take(self, which: Ints) -> Model:
        """Some of its datasets."""
        minimum = Minimum(self.minimum.factor[which], self.minimum.converged[which])
        criterion = self.criterion.take(which)
        return Model(
            self.sims[which], self.columns[which], criterion, minimum, self.deviance[which]
        )

    def words(self, slopes: NDArray[np.str_]) -> list[str]:
        """What it is called in each dataset.

        Parameters
        ----------
        slopes : (q,) the predictor of each column of Z, empty for the intercept.
        """
        if self.columns.shape[1] == 1:
            return ["intercept"] * self.sims.size
        if self.correlated:
            return ["maximal"] * self.sims.size
        if self.columns.shape[1] == slopes.size:
            return ["uncorrelated"] * self.sims.size
        return [f"uncorrelated ({' + '.join(filter(None, slopes[c]))})" for c in self.columns]


@dataclass(frozen=True)
class Path:
    """The way from the maximal model to the intercept alone.

    Attributes
    ----------
    criterion : of a block of datasets; its X and Z are those of every model on the way.
    slopes : (q,) the predictor of each column of Z, empty for the intercept.
    """

    criterion: Criterion
    slopes: NDArray[np.str_]

    def by_tests(self) -> Iterator[Model]:
        """The models that backward selection by likelihood ratio tests ends with."""
        # As in `inference`: most jobs need none of it.
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

    def by_aic(self) -> Iterator[Model]:
        """The models of the least AIC."""
        fitted = [self._maximal()]
        while fitted[-1].parameters > 1:
            fitted.append(self._next(fitted[-1]))
        aic = np.array([model.deviance + 2.0 * model.parameters for model in fitted[::-1]])
        best = len(fitted) - 1 - aic.argmin(axis=0)
        for number, model in enumerate(fitted):
            if (best == number).any():
                yield model.take(np.flatnonzero(best == number))

    def _maximal(self) -> Model:
        sims = np.arange(self.criterion.sims)
        return self._fit(sims, self._all(sims.size), correlated=True)

    def _next(self, model: Model) -> Model:
        """The same without correlations, then without the slope that can best be spared."""
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

    def _fit(self, sims: Ints, columns: Ints, correlated: bool = False) -> Model:
        criterion = self.criterion.take(sims)
        if not correlated:
            criterion = criterion.diagonal(columns)
        effects = criterion.design.shape[3] * columns.shape[1]
        possible = np.flatnonzero(criterion.nu + criterion.p > effects)
        factor = criterion.structure.multiple(0.0, sims.size)
        converged, deviance = np.zeros(sims.size, dtype=bool), np.full(sims.size, np.inf)
        if possible.size:
            problem = criterion.take(possible)
            found = minimise(problem)
            factor[possible], converged[possible] = found
            point = problem.at(found.factor)
            deviance[possible] = np.where(problem.exhausted(point.rss), np.inf, point.value)
        return Model(sims, columns, criterion, Minimum(factor, converged), deviance)


def _replace(fits: Fits, where: NDArray[np.bool_], others: Fits) -> None:
    """Put the fits of another model, whose theta may be shorter, in place of some."""
    for column in fields(Fits):
        mine, theirs = getattr(fits, column.name), getattr(others, column.name)
        if column.name == "theta":
            mine[where] = np.nan
            mine[where, : theirs.shape[1]] = theirs[where]
        else:
            mine[where] = theirs[where]


def _say(fits: Fits, kept: NDArray[np.object_]) -> None:
    """Put the model that was kept before the message of each fit that there is."""
    for sim in np.flatnonzero(np.isin(fits.status, ("ok", "singular", "not_converged"))):
        said = [f"kept: {kept[sim]}", fits.message[sim]]
        fits.message[sim] = "; ".join(filter(None, said))

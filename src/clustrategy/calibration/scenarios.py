"""What is not known of one's own data, as ways in which outcomes may come about on its design."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from clustrategy.calibration.autoregression import autoregression
from clustrategy.calibration.within_residuals import WithinResiduals
from clustrategy.calibration.working_model import (
    MOST_PROFILED,
    MOST_SPREADS,
    WorkingModel,
    can_differ,
    working_model,
)
from clustrategy.core.scenarios import NAMES
from clustrategy.core.shard import INTERCEPT, Floats, Ints
from clustrategy.core.words import number, span
from clustrategy.design.from_table import Design
from clustrategy.design.variation import starts, variation
from clustrategy.dgp.given import GivenProcess
from clustrategy.estimation.mixed.conditional_modes import conditional_modes
from clustrategy.estimation.mixed.profile import Limits

SLOPES_LEVEL = 0.95

FEWEST_RESAMPLED = 8
"""Clusters: of fewer effects many are drawn twice, and of normal ones, too, exact tests at 5 % then
reject 8.4 % with 4 clusters, 5.6 % with 5."""

ALONE = "of each without correlations, and with all else at its estimate"
"""How limits are sought where there are many."""


@dataclass(frozen=True)
class Scenario:
    """One supposition about what is not known.

    Attributes
    ----------
    name : str
        One of `NAMES`.
    words : str
        What it supposes.
    process : GivenProcess, optional
        How outcomes are drawn; None where the scenario is left out.
    note : str
        The numbers it came to, what it became, or why it is left out.
    """

    name: str
    words: str
    process: GivenProcess | None
    note: str


def scenarios(design: Design, *, ordered: bool = False) -> list[Scenario]:
    """Return the scenarios of a design.

    Parameters
    ----------
    design : Design
        One's own table, as `design_from_table` reads it, that `check` accepts. The working model
        has its random effects, or else a random intercept and all slopes that vary within clusters.
    ordered : bool
        Whether the rows of a cluster are in an order in which neighbours may be correlated.

    Returns
    -------
    list of Scenario
        All of `NAMES`, in their order.
    """
    found = _Scenarios(design, working_model(design.shard, design.random), ordered)
    makers: dict[str, Callable[[], tuple[GivenProcess | None, str]]] = {
        "estimated": found.estimated,
        "lower_80": lambda: found.at_limits(0.8, upper=False),
        "upper_80": lambda: found.at_limits(0.8, upper=True),
        "lower_95": lambda: found.at_limits(0.95, upper=False),
        "upper_95": lambda: found.at_limits(0.95, upper=True),
        "slopes_vary": found.slopes_vary,
        "variance_by_cluster": found.variance_by_cluster,
        "variance_by_arm": found.variance_by_arm,
        "autocorrelated": found.autocorrelated,
        "resampled": found.resampled,
    }
    return [Scenario(name, words, *makers[name]()) for name, words in NAMES.items()]


@dataclass(frozen=True)
class _Scenarios:
    design: Design
    model: WorkingModel
    ordered: bool

    def estimated(self) -> tuple[GivenProcess, str]:
        model = self.model
        sds = self._own_sd.tolist()
        spreads = [f"{name} {number(sd)}" for name, sd in zip(model.terms, sds, strict=True)]
        note = f"the working model has {model.said}"
        if spreads:
            at_means = " (at the means of the predictors)" if model.centre.any() else ""
            note += f"; standard deviations{at_means}: {', '.join(spreads)}"
        return self._base, f"{note}; residuals {number(model.sigma)}"

    def at_limits(self, level: float, *, upper: bool) -> tuple[GivenProcess | None, str]:
        model = self.model
        if not model.columns.size:
            return None, f"left out: the working model has {model.said}"
        sd, parts, ends = model.sd.copy(), [], _Ends()
        for place, (name, limits) in enumerate(zip(model.terms, self._limits[level], strict=True)):
            unit = model.unit[model.columns[place]]
            sd[place] = (
                ends.upper(name, limits.high, model.sd[place], model) if upper else limits.low
            )
            was = number(self._own_sd[place])
            parts.append(f"{name} {number(sd[place] / unit)} (estimated {was})")
        note = f"standard deviations: {', '.join(parts)}"
        if not model.profiled:
            note += f"; limits {ALONE}"
        process = self._process(model.columns, _scaled(model.covariance, sd))
        return process, note + ends.said

    def slopes_vary(self) -> tuple[GivenProcess | None, str]:
        model, shard = self.model, self.design.shard
        varies = can_differ(shard) & (np.array(shard.terms) != INTERCEPT)
        varies[model.columns] |= np.array([name != INTERCEPT for name in model.terms], dtype=bool)
        slopes = np.flatnonzero(varies)
        if not slopes.size:
            return None, "left out: no predictor varies within clusters"
        columns = np.union1d(model.columns, slopes)
        covariance = np.zeros((columns.size, columns.size))
        inside = np.searchsorted(columns, model.columns)
        covariance[np.ix_(inside, inside)] = model.covariance
        sd, parts, ends = np.sqrt(np.diagonal(covariance)).copy(), [], _Ends()
        own = model.columns.tolist()
        alone = columns.size > MOST_PROFILED
        for column in slopes.tolist():
            place = int(np.searchsorted(columns, column))
            name, unit = shard.terms[column], model.unit[column]
            if column in own:
                before = f"estimated {number(sd[place] / unit)}"
                high = self._limits[SLOPES_LEVEL][own.index(column)].high
            else:
                before = "not in the working model"
                high = model.upper_limit(column, SLOPES_LEVEL, alone=alone)
            high = sd[place] = ends.upper(name, high, sd[place], model)
            parts.append(f"{name} {number(high / unit)} ({before})")
        note = f"the slopes' standard deviations at their upper 95 % limits: {', '.join(parts)}"
        if alone:
            note += f"; limits {ALONE}"
        return self._process(columns, _scaled(covariance, sd)), note + ends.said

    def variance_by_cluster(self) -> tuple[GivenProcess | None, str]:
        found = self._within.variances_by_cluster()
        if found is None:
            return None, "left out: fewer than two clusters have a residual variance of their own"
        variances, spread = found
        if spread == 0.0:
            return self._base, (
                "as `estimated`: the clusters' residual variances differ no more than by chance"
            )
        sigma = self._pooled(variances)
        note = f"residual standard deviations {span(sigma.tolist())}"
        none = int((self._within.squares == 0.0).sum())
        if none:
            note += f"; {none} of {sigma.size} clusters have none of their own, but a typical one"
        note += f"; the standard deviation of the logs of the variances is {number(spread, 2)}"
        return replace(self._base, sigma=sigma), note

    def variance_by_arm(self) -> tuple[GivenProcess | None, str]:
        shard = self.design.shard
        arms = np.flatnonzero(~np.isnan(variation(shard).treated))
        if not arms.size:
            return None, "left out: no predictor is 0 or 1 by cluster"
        name, in_arm = shard.terms[arms[0]], shard.X[starts(shard), arms[0]] == 1.0
        within = self._within
        variances = np.empty(shard.clusters)
        for arm in (in_arm, ~in_arm):
            if not within.squares[arm].sum() > 0.0:
                return None, f"left out: an arm of {name} has no residual variance of its own"
            variances[arm] = within.squares[arm].sum() / within.expected[arm].sum()
        sigma = self._pooled(variances)
        one, zero = number(sigma[in_arm][0]), number(sigma[~in_arm][0])
        note = f"residual standard deviations {one} where {name} is 1 and {zero} where it is 0"
        if arms.size > 1:
            note += f"; {name} is the first of {arms.size} predictors that are 0 or 1 by cluster"
        return replace(self._base, sigma=sigma), note

    def autocorrelated(self) -> tuple[GivenProcess | None, str]:
        if not self.ordered:
            return None, "left out: the rows of a cluster were not said to have an order"
        model = self.model
        found = autoregression(model)
        if found is None:
            return None, "left out: the rows do not allow an estimate of their autocorrelation"
        process = replace(
            self._process(model.columns, found.covariance),
            sigma=found.sigma,
            autocorrelation=found.rho,
        )
        names, sds, before = ["residuals"], [found.sigma], [model.sigma]
        if model.fits is not None:
            names[:0], before[:0] = model.terms, self._own_sd
            sds[:0] = np.sqrt(np.diagonal(found.covariance)) / model.unit[model.columns]
        parts = [
            f"{name} {number(sd)} ({number(was)})"
            for name, sd, was in zip(names, sds, before, strict=True)
        ]
        return process, (
            f"the correlation of successive rows is {number(found.rho, 2)}; standard deviations "
            f"that are estimated together with it (and without it): {', '.join(parts)}"
        )

    def resampled(self) -> tuple[GivenProcess | None, str]:
        """As Carpenter, Goldstein & Rasbash (2003, JRSS C 52, 431-443)."""
        model, shard = self.model, self.design.shard
        if model.fits is None:
            return None, "left out: the working model has no random effects to resample"
        if model.fits.status[0] != "ok":
            return None, "left out: the fit is singular, and its effects lack what they should have"
        if shard.clusters < max(FEWEST_RESAMPLED, model.columns.size + 1):
            return None, f"left out: {shard.clusters} clusters have too few effects to resample"
        mode = conditional_modes(model.scaled, model.fits).mode
        codes = shard.cluster_codes(0)
        seen = (model.scaled.X[:, model.columns] * mode[codes]).sum(axis=1)
        residuals = model.residuals - seen
        residuals -= residuals.mean()
        residuals *= model.sigma / np.sqrt((residuals * residuals).mean())
        mode = mode - mode.mean(axis=0)
        observed = np.linalg.cholesky(mode.T @ mode / shard.clusters)
        wanted = np.linalg.cholesky(model.covariance)
        effects = mode @ np.linalg.solve(observed.T, wanted.T)
        back = model.back(model.columns)
        note = (
            f"{residuals.size:,} residuals and the effects of {shard.clusters} clusters, centred "
            "and inflated to the REML variances"
        )
        return replace(self._base, residuals=residuals, effects=effects @ back.T), note

    @cached_property
    def _base(self) -> GivenProcess:
        return self._process(self.model.columns, self.model.covariance)

    @property
    def _own_sd(self) -> Floats:
        """Return the random coefficients' standard deviations, those of slopes in units of X."""
        return np.asarray(self.model.sd / self.model.unit[self.model.columns])

    @cached_property
    def _limits(self) -> dict[float, list[Limits]]:
        return {level: self.model.limits(level) for level in (0.8, 0.95)}

    @cached_property
    def _within(self) -> WithinResiduals:
        model = self.model
        X = model.scaled.X
        return WithinResiduals.of(model.residuals, X, X[:, model.columns], model.scaled.n[0])

    def _process(self, columns: Ints, covariance: Floats) -> GivenProcess:
        """Return normal outcomes, the covariance that of the scaled columns' coefficients."""
        back, shard = self.model.back(columns), self.design.shard
        terms = tuple(shard.terms[column] for column in columns)
        return GivenProcess(shard, terms, back @ covariance @ back.T, self.model.sigma)

    def _pooled(self, variances: Floats) -> Floats:
        """Return the clusters' standard deviations, the mean variance of all rows sigma^2."""
        sizes = self.design.shard.n[0]
        mean = (sizes * variances).sum() / sizes.sum()
        return np.asarray(self.model.sigma * np.sqrt(variances / mean))


def _scaled(covariance: Floats, sd: Floats) -> Floats:
    """Return a covariance matrix of the same correlations, 0 where a variance is."""
    before = np.sqrt(np.diagonal(covariance))
    ratio = np.divide(sd, before, out=np.zeros(sd.size), where=before > 0.0)
    scaled = covariance * ratio[:, None] * ratio
    scaled[np.diag_indices(sd.size)] = sd * sd
    return np.asarray(scaled)


@dataclass
class _Ends:
    """The coefficients whose upper limits are not those of the profile likelihood.

    Attributes
    ----------
    beyond : list of str
        Those that end at `WorkingModel.largest`.
    none : list of str
        Those that the data do not suffice to have one of.
    """

    beyond: list[str] = field(default_factory=list)
    none: list[str] = field(default_factory=list)

    def upper(self, name: str, high: float, estimate: float, model: WorkingModel) -> float:
        """Return what is taken for an upper limit."""
        if not np.isfinite(high):
            self.none.append(name)
            return max(model.spread, estimate)
        if high >= model.largest:
            self.beyond.append(name)
        return high

    @property
    def said(self) -> str:
        """Say which they are."""
        said = ""
        if self.beyond:
            said += (
                f"; the limit for {', '.join(self.beyond)} is beyond {MOST_SPREADS:g} times what "
                "alone would vary the response as the predictors leave it, so it is that"
            )
        if self.none:
            said += (
                f"; no limit for {', '.join(self.none)}, as the data do not suffice for one, so it "
                "is what alone would vary the response as the predictors leave it"
            )
        return said

"""The options of the data-generating process, and which of them do not go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal

import numpy as np

from clustrategy.core.cells import MECHANISM, Level
from clustrategy.core.shard import INTERCEPT, Floats
from clustrategy.dgp.copula import Behind, Shape, behind
from clustrategy.dgp.distributions import Distribution

MECHANISMS = "mechanisms"
"""The key of named options in `dgp`."""

OF_TWO_ARMS = ("treated", "intercept_variance_ratio", "residual_variance_ratio")
"""Options about the two arms of a treatment; without one they say nothing."""

Coefficients = Mapping[str, Sequence[float]] | Sequence[float]


def options_of(dgp: Mapping[str, Any], cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a cell: of the study, over them of its mechanism, and its levels.

    Parameters
    ----------
    dgp : Mapping
        The options of a study, and perhaps `mechanisms`: by name, options that go together.
    cell : Mapping
        The levels of factors, one of which may be the `mechanism`.
    """
    options = {"between_cluster_sigma": None, **dgp}
    options |= {**dgp.get(MECHANISMS, {}).get(cell.get(MECHANISM), {}), **cell}
    options.pop(MECHANISMS, None)
    options.pop(MECHANISM, None)
    return options


@dataclass(frozen=True)
class Process:
    """The data-generating process of one cell; sigmas are standard deviations.

    Attributes
    ----------
    clusters : int
        The clusters of each dataset.
    obs_per_cluster : int
        The rows of each cluster; their mean if sizes vary.
    between_cluster_sigma : float or None
        The standard deviation of each coefficient between clusters, None where `icc` says it.
    predictors : int
        The number of slopes, dummies of treatment arms included.
    coefficients : Mapping or Sequence of float
        `{"uniform": [low, high]}`, drawn anew in every sim, or predictors + 1 values.
    residual_sigma : float
        The standard deviation of the errors.
    sigma_ratios : Sequence of float, optional
        Multiples of between_cluster_sigma for each coefficient, intercept first.
    icc : float, optional
        In place of between_cluster_sigma: the share of the intercepts' variance between clusters in
        its sum with the error variance.
    slope_sd : float or Sequence of float, optional
        Beside icc: the standard deviation of the slopes between clusters, one for all or one for
        each predictor; 0 unless given.
    intercept_slope_correlation : float
        The correlation of a cluster's intercept with each of its slopes.
    predictor_correlation : float
        The correlation of any two predictors.
    predictor_icc : float or Sequence of float
        The share of a predictor's variance that is between clusters: one for all, or one for each
        predictor that is not a dummy.
    treatment : {"none", "between", "within"}
        Whether the last predictors are dummies of arms, given to whole clusters or to rows.
    arms : int
        The arms of the treatment; the first is the reference and has no dummy.
    treated : "half" or float
        How many clusters, or rows of a cluster, are in the treated one of two arms: half of them,
        that number of them if it is at least 1, or that share.
    intercept_variance_ratio : float
        The variance between clusters of the intercepts in the treated one of two arms of clusters,
        over that in the other.
    residual_variance_ratio : float
        The variance of the errors in the treated one of two arms, over that in the other.
    size_cv : float
        The coefficient of variation of the cluster sizes.
    informative_size : float
        The correlation of a cluster's size with its intercept, on the normal scale.
    residual_distribution, random_distribution : {"normal", "t", "skewed", "contaminated"}
        The distributions of the errors and of the clusters' deviations.
    residual_variance_cv : float
        The coefficient of variation, between clusters, of the error variance.
    residual_autocorrelation : float
        The correlation of the errors of neighbouring rows of a cluster.
    endogeneity : float
        The correlation of IV1 with the cluster's intercept.
    missing_rate : float
        The share of rows that are missing.
    missing_mechanism : {"MAR", "MCAR"}
        At random given IV1, the more the larger it is; or completely at random.
    size_distribution : {"gamma", "lognormal", "pareto"}
        The distribution of the cluster sizes; the mean and the variance are the same.
    hidden_slope_sd : float
        The standard deviation between clusters of the slope of a covariate that no model has.
    predictor_distribution : {"normal", "uniform", "binary"} or Sequence of them
        Of the predictors, of mean 0 and variance 1: one for all, or one for each that is not a
        dummy.
    estimand : {"clusters", "persons"}
        The true coefficients are averages of the clusters' over clusters, or over rows.
    """

    clusters: int
    obs_per_cluster: int
    between_cluster_sigma: float | None
    predictors: int
    coefficients: Coefficients
    residual_sigma: float
    sigma_ratios: Sequence[float] | None = None
    icc: float | None = None
    slope_sd: float | Sequence[float] | None = None
    intercept_slope_correlation: float = 0.0
    predictor_correlation: float = 0.0
    predictor_icc: float | Sequence[float] = 0.0
    treatment: Literal["none", "between", "within"] = "none"
    arms: int = 2
    treated: Literal["half"] | float = "half"
    intercept_variance_ratio: float = 1.0
    residual_variance_ratio: float = 1.0
    size_cv: float = 0.0
    informative_size: float = 0.0
    residual_distribution: Distribution = "normal"
    random_distribution: Distribution = "normal"
    residual_variance_cv: float = 0.0
    residual_autocorrelation: float = 0.0
    endogeneity: float = 0.0
    missing_rate: float = 0.0
    missing_mechanism: Literal["MAR", "MCAR"] = "MAR"
    size_distribution: Literal["gamma", "lognormal", "pareto"] = "gamma"
    hidden_slope_sd: float = 0.0
    predictor_distribution: Shape | Sequence[Shape] = "normal"
    estimand: Literal["clusters", "persons"] = "clusters"

    @classmethod
    def of(cls, dgp: Mapping[str, Any], cell: Mapping[str, Level]) -> Process:
        """Take the options of a study and, over them, those of the cell's mechanism and levels."""
        return cls(**options_of(dgp, cell))

    @property
    def rows(self) -> int:
        """The rows of a dataset, where none is missing."""
        return self.clusters * self.obs_per_cluster

    @property
    def missing_by_iv1(self) -> bool:
        """Whether rows are missing the more the larger IV1."""
        return self.missing_rate > 0 and self.missing_mechanism == "MAR"

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """The names of the coefficients: the intercept and IV1 to IVp."""
        return (INTERCEPT, *(f"IV{k + 1}" for k in range(self.predictors)))

    @cached_property
    def dummies(self) -> int:
        """How many predictors are dummies of treatment arms; they are the last ones."""
        return 0 if self.treatment == "none" else self.arms - 1

    @cached_property
    def continuous(self) -> int:
        """How many predictors are not dummies."""
        return self.predictors - self.dummies

    @cached_property
    def units(self) -> int:
        """How many clusters a treatment between them is given to, or how many rows of a cluster."""
        return self.clusters if self.treatment == "between" else self.obs_per_cluster

    @cached_property
    def treated_share(self) -> float | None:
        """The share of units that are treated, None if arms are equal."""
        if self.treatment == "none" or self.treated == "half":
            return None
        return self.treated if self.treated < 1 else self.treated / self.units

    @property
    def variance_ratios(self) -> tuple[float, float]:
        """Of intercepts and of errors, the variance in the treated arm over that in the other."""
        if self.treatment == "none":
            return 1.0, 1.0
        return self.intercept_variance_ratio, self.residual_variance_ratio

    @cached_property
    def between_share(self) -> Floats:
        """The ICC of each continuous predictor."""
        return np.broadcast_to(np.asarray(self.predictor_icc, dtype=float), (self.continuous,))

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The distribution of each continuous predictor."""
        of = self.predictor_distribution
        return (of,) * self.continuous if isinstance(of, str) else tuple(of)

    @cached_property
    def behind(self) -> Behind | None:
        """The normals behind continuous predictors, None where all of these are normal."""
        if {*self.shapes} <= {"normal"}:
            return None
        return behind(self.shapes, self.between_share, self.predictor_correlation)

    @property
    def varying(self) -> int:
        """How many continuous predictors vary within clusters."""
        return int((self.between_share < 1).sum())

    @property
    def varying_binary(self) -> int:
        """How many of these are binary."""
        binary = [shape == "binary" for shape in self.shapes]
        return int((self.between_share[binary] < 1).sum())

    @cached_property
    def sigmas(self) -> Floats:
        """(predictors + 1,) the standard deviation of each coefficient between clusters.

        It is 0 for the slope of a predictor that is constant within clusters: the slope's
        deviation could not be told from the intercept's.
        """
        sigmas = np.ones(self.predictors + 1)
        if self.icc is not None:
            sigmas[0] = self.residual_sigma * np.sqrt(self.icc / (1.0 - self.icc))
            sigmas[1:] = self.slope_sd or 0.0
        else:
            if self.sigma_ratios is not None:
                sigmas[:] = self.sigma_ratios
            assert self.between_cluster_sigma is not None
            sigmas *= self.between_cluster_sigma
        sigmas[1 : 1 + self.continuous][self.between_share == 1] = 0.0
        if self.treatment == "between":
            sigmas[1 + self.continuous :] = 0.0
        return sigmas

    @property
    def conflict(self) -> tuple[str, str] | None:
        """The first option that does not fit the others, and what is wrong with it."""
        return next(self._conflicts(), None)

    def _conflicts(self) -> Iterator[tuple[str, str]]:
        for_all = f"{self.predictors + 1} values for {self.predictors} predictors (intercept first)"
        if isinstance(self.coefficients, Mapping):
            low, high = self.coefficients["uniform"]
            if low > high:
                yield "coefficients.uniform", f"must be [low, high], found [{low}, {high}]"
        elif len(self.coefficients) != self.predictors + 1:
            yield "coefficients", f"must be {for_all}, found {len(self.coefficients)}"
        yield from self._spread_conflicts(for_all)
        if self.treatment != "none":
            yield from self._treatment_conflicts()
            yield from self._two_arms_conflicts()
        yield from self._predictor_conflicts()
        if self.size_cv > 0 and self.obs_per_cluster < 2:
            yield "size_cv", "above 0 needs obs_per_cluster of at least 2, found 1"
        if self.informative_size != 0 and self.size_cv == 0:
            yield "informative_size", "needs clusters that differ in size: a size_cv above 0"

    def _predictor_conflicts(self) -> Iterator[tuple[str, str]]:
        each = f"{self.continuous}, one for each predictor that is not a treatment arm"
        if isinstance(self.predictor_icc, Sequence) and len(self.predictor_icc) != self.continuous:
            yield (
                "predictor_icc",
                f"must be one number or {each}, found {len(self.predictor_icc)}",
            )
        if len(self.shapes) != self.continuous:
            yield (
                "predictor_distribution",
                f"must be one distribution or {each}, found {len(self.shapes)}",
            )
        alike = self.continuous + (self.hidden_slope_sd > 0)
        least = -1.0 / (alike - 1) if alike > 1 else -1.0
        if self.predictor_correlation <= least:
            beside = " and a hidden covariate" if self.hidden_slope_sd > 0 else ""
            yield (
                "predictor_correlation",
                f"must be greater than {least:.4g} for {self.continuous} predictors that are not "
                f"treatment arms{beside}, found {self.predictor_correlation}",
            )
        if self.behind is None:
            return
        if not self.behind.exists:
            yield (
                "predictor_correlation",
                "is out of reach for predictors of this predictor_distribution and predictor_icc, "
                f"found {self.predictor_correlation}",
            )
        if self.endogeneity != 0 and self.shapes[0] != "normal":
            yield "endogeneity", f"needs a normal IV1, found a {self.shapes[0]} one"
        if self.hidden_slope_sd > 0 and self.predictor_correlation != 0:
            yield (
                "hidden_slope_sd",
                "needs normal predictors where there is a predictor_correlation",
            )

    def _spread_conflicts(self, for_all: str) -> Iterator[tuple[str, str]]:
        if self.icc is None and self.slope_sd is not None:
            yield (
                "slope_sd",
                "needs an icc beside it, 0 where intercepts do not differ, in place of "
                "between_cluster_sigma",
            )
        if self.icc is None and self.between_cluster_sigma is None:
            yield "between_cluster_sigma", "is not given, nor is an icc in its place"
        for name in ("between_cluster_sigma", "sigma_ratios"):
            if self.icc is not None and getattr(self, name) is not None:
                yield (
                    "icc",
                    f"cannot stand beside {name}: clusters differ either by "
                    "between_cluster_sigma and sigma_ratios or by icc and slope_sd",
                )
        if self.sigma_ratios is not None and len(self.sigma_ratios) != self.predictors + 1:
            yield "sigma_ratios", f"must be {for_all}, found {len(self.sigma_ratios)}"
        if isinstance(self.slope_sd, Sequence) and len(self.slope_sd) != self.predictors:
            yield (
                "slope_sd",
                f"must be one number or {self.predictors}, one for each predictor, found "
                f"{len(self.slope_sd)}",
            )

    def _treatment_conflicts(self) -> Iterator[tuple[str, str]]:
        if self.dummies > self.predictors:
            yield (
                "arms",
                f"of a treatment need {self.arms - 1} predictors for {self.arms} arms, "
                f"found {self.predictors}",
            )
        size = "clusters" if self.treatment == "between" else "obs_per_cluster"
        if self.arms > self.units:
            yield (
                "arms",
                f"must be at most {size} where the treatment is {self.treatment} clusters, "
                f"found {self.arms} arms for {self.units}",
            )
        if self.continuous < 1 and self.endogeneity != 0:
            yield "endogeneity", "needs an IV1 that is not a treatment arm: one predictor more"
        if self.continuous < 1 and self.missing_by_iv1 and self.arms > 2:
            yield (
                "missing_rate",
                "needs two arms or an IV1 that is not a treatment arm: one predictor more",
            )

    def _two_arms_conflicts(self) -> Iterator[tuple[str, str]]:
        unset = {field.name: field.default for field in fields(self)}
        for name in OF_TWO_ARMS:
            if self.arms > 2 and getattr(self, name) != unset[name]:
                yield name, f"needs a treatment of two arms, found {self.arms}"
        if self.treatment == "within" and self.intercept_variance_ratio != 1:
            yield (
                "intercept_variance_ratio",
                "needs a treatment between clusters; an effect within clusters that differs "
                "between them has a slope_sd",
            )
        if self.treated_share is not None:
            count = int(np.floor(self.units * self.treated_share + 0.5))
            if not 0 < count < self.units:
                of = "clusters" if self.treatment == "between" else "rows of a cluster"
                yield (
                    "treated",
                    f"must leave units in both arms, found {self.treated:g}, which is {count} of "
                    f"the {self.units} {of}",
                )

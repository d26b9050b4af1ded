"""For which coefficients a strategy is to be relied on, and why not for the others.

What the strategies do with few clusters is from the study `config/inference.yaml`: false positives
at 5 % in the worst of 45 cells of 10 to 100 clusters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.design.cr2_share import cr2_share
from clustrategy.design.icc import icc
from clustrategy.design.variation import FEWEST_WITHIN
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.cluster_robust import fit_cluster_robust
from clustrategy.estimation.mixed.random_coefficients import absence

FEW_CLUSTERS = 40
"""Clusters below which normal quantiles are not to be relied on (Cameron, Gelbach & Miller 2008,
REStat 90, 414-427, call fewer than 30 to 50 few)."""

NARROW = 0.95
"""CR1S intervals that are narrower than this share of CR2's are too narrow: 7.4 % with 30 clusters
and a predictor that is constant within them, where they are .94 as wide."""

FEW_FOR_MAXIMAL = 30
"""Clusters below which a mixed model with random slopes is not to be relied on for predictors that
are constant within clusters: 15.4 % by Satterthwaite's and 8.5 % by Kenward and Roger's degrees of
freedom with 10 clusters, 6.3 % with 30."""

LEAST_SHARE = 0.85
"""Of the true variance that CR2 is to find: false positives of a treatment of whole clusters were 6
to 8 % where it finds .72 to .85, 10 % at .6 and 38 % at .2 (20 clusters, one of which is large)."""

MOST_DROPPED = 0.2
"""Of the clusters that two-stage regression may leave out."""

FEWEST_DF = 0.999
"""Degrees of freedom below which there is no test worth the name."""

LEVEL = 0.05

SMALL = ("CR0", "CR1", "CR1S", "pymer4")
"""Cluster-robust variances that are too small with few clusters."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Term:
    """What the rules ask of a coefficient.

    Attributes
    ----------
    name : str
    constant : bool
        Whether it is a predictor that is constant within clusters.
    within : bool
        Whether it varies within clusters.
    varies_in : int
        Within how many clusters it does.
    hangs : bool
        Whether there is no estimate of it without some cluster.
    share : float
        How much of its true variance CR2 is expected to find (`cr2_share`).
    width : float
        How wide the interval of CR1S with G - 1 df is beside that of CR2 with Satterthwaite's.
    mixture : bool
        Whether its slopes within clusters and between them differ (Mundlak's test, by Holm's
        correction for their number).
    outside : list of str
        Predictors whose range does not hold 0, where two-stage regression compares clusters.
    clusters : int
        G.
    """

    name: str
    constant: bool
    within: bool
    varies_in: int
    hangs: bool
    share: float
    width: float
    mixture: bool
    outside: list[str]
    clusters: int


@dataclass(frozen=True)
class Fitted:
    """What the rules ask of a strategy's fit of a coefficient."""

    strategy: Strategy
    fits: Fits
    place: int

    def option(self, name: str, default: object) -> object:
        """Return an option of the strategy."""
        return self.strategy.options.get(name, default)

    @property
    def is_mixed(self) -> bool:
        """Whether it is a mixed model."""
        return self.strategy.name.startswith("mixed")

    @property
    def model_variance(self) -> bool:
        """Whether a mixed model's own variance tests it."""
        return self.is_mixed and self.option("variance", "model") == "model"

    @property
    def is_sandwich(self) -> bool:
        """Whether the residuals of single clusters tell the variance."""
        robust = ("cluster_robust", "fixed_effects", "wild_cluster_bootstrap", "gee")
        return self.strategy.name in robust or self.option("variance", "") == "CR2"


@dataclass(frozen=True)
class Reliance:
    """Why strategies are not to be relied on.

    Attributes
    ----------
    reasons : dict of (str, str) to str
        By the strategy's label and the coefficient; what is not in it is to be relied on.
    labels : tuple of str
        All strategies.
    terms : tuple of Term
        All coefficients.
    icc : float
        The intraclass correlation given the predictors, by which they are judged.
    """

    reasons: Mapping[tuple[str, str], str]
    labels: tuple[str, ...]
    terms: tuple[Term, ...]
    icc: float

    def reason(self, label: str, term: str) -> str:
        """Return why a strategy is not to be relied on for a coefficient, empty where it is."""
        return self.reasons.get((label, term), "")

    @cached_property
    def never(self) -> list[str]:
        """The labels of strategies that are to be relied on for no coefficient, for one reason."""
        found = []
        for label in self.labels:
            said = {self.reason(label, term.name) for term in self.terms}
            if len(said) == 1 and said != {""}:
                found.append(label)
        return found


def reliance(
    shard: Shard, strategies: Sequence[Strategy], fits: Sequence[Fits], by_term: Sequence[Row]
) -> Reliance:
    """Judge for which coefficients strategies are to be relied on.

    Parameters
    ----------
    shard : Shard
        One dataset.
    strategies, fits : sequence of Strategy and of Fits
        What was fitted to it.
    by_term : sequence of mapping
        What the design says of each coefficient.

    Returns
    -------
    Reliance
    """
    rho = icc(shard, given_x=True).value
    terms = _terms(shard, by_term, rho)
    reasons = {}
    for strategy, fit in zip(strategies, fits, strict=True):
        for place, term in enumerate(terms):
            fitted = Fitted(strategy, fit, place)
            if reason := next(filter(None, (rule(fitted, term) for rule in RULES)), ""):
                reasons[strategy.label, term.name] = reason
    return Reliance(reasons, tuple(strategy.label for strategy in strategies), tuple(terms), rho)


def _terms(shard: Shard, by_term: Sequence[Row], rho: float) -> list[Term]:
    share, width = np.full((2, shard.p), np.nan)
    if shard.in_range.all():
        share, width = cr2_share(shard, rho), _width(shard)
    mixture = _by_holm([float(row["mundlak_p_value"]) for row in by_term])
    outside = _outside(shard, by_term)
    return [
        Term(
            name=str(row["term"]),
            constant=row["varies_in"] == 0 and row["term"] != INTERCEPT,
            within=row["varies_in"] > 0,
            varies_in=int(row["varies_in"]),
            hangs=bool(row["indispensable_clusters"]) and row["term"] != INTERCEPT,
            share=float(share[place]),
            width=float(width[place]),
            mixture=mixture[place] and row["varies_in"] >= min(FEWEST_WITHIN, shard.clusters),
            outside=[one for one in outside if not _are_multiplied(one, str(row["term"]), shard)],
            clusters=shard.clusters,
        )
        for place, row in enumerate(by_term)
    ]


def _width(shard: Shard) -> Floats:
    """Return the width of CR1S intervals over that of CR2's, (p,)."""
    from scipy.special import stdtrit

    usual = fit_cluster_robust(shard, "CR1S", "G-1")
    careful = fit_cluster_robust(shard, "CR2", "satterthwaite")
    ends = [one.std_error[0] * stdtrit(one.df[0], 1.0 - LEVEL / 2.0) for one in (usual, careful)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(ends[0] / ends[1])


def _by_holm(p_values: Sequence[float]) -> list[bool]:
    """Tell which hypotheses Holm's procedure rejects at `LEVEL`; NaN are none."""
    order = sorted((p, place) for place, p in enumerate(p_values) if np.isfinite(p))
    rejected = [False] * len(p_values)
    for rank, (p, place) in enumerate(order):
        if p > LEVEL / (len(order) - rank):
            break
        rejected[place] = True
    return rejected


def _outside(shard: Shard, by_term: Sequence[Row]) -> list[str]:
    """Return the predictors of more than two values that vary within clusters and are never 0."""
    found = []
    for column, row in zip(shard.X.T, by_term, strict=True):
        least, most = column.min(), column.max()
        two = np.isin(column, (least, most)).all()
        if row["varies_in"] and not two and not least <= 0.0 <= most:
            found.append(str(row["term"]))
    return found


def _are_multiplied(one: str, other: str, shard: Shard) -> bool:
    """Tell whether two predictors have a product among the terms, or one is a product."""
    if ":" in one:
        return True
    return any({one, other} <= set(term.split(":")) for term in shard.terms)


def _ignores_clusters(fitted: Fitted, term: Term) -> str:
    return "it ignores the clusters" if fitted.strategy.name == "ols" else ""


def _no_df(fitted: Fitted, term: Term) -> str:
    df = fitted.fits.df[0, fitted.place]
    return f"it has {df:.2g} degrees of freedom" if df < FEWEST_DF else ""


def _hangs(fitted: Fitted, term: Term) -> str:
    if term.hangs and fitted.is_sandwich:
        return "it takes the variance from residuals, and one cluster alone has none"
    return ""


def _rests_on_few(fitted: Fitted, term: Term) -> str:
    few = 0 < term.varies_in < min(FEWEST_WITHIN, term.clusters)
    if few and term.name != INTERCEPT and fitted.strategy.name == "fixed_effects":
        return f"it varies within {term.varies_in} of {term.clusters} clusters alone"
    return ""


def _mixture(fitted: Fitted, term: Term) -> str:
    mixes = fitted.strategy.name not in ("fixed_effects", "two_stage")
    return "it mixes the slopes within clusters and between them" if term.mixture and mixes else ""


def _small_share(fitted: Fitted, term: Term) -> str:
    names = ("cluster_robust", "wild_cluster_bootstrap")
    if fitted.strategy.name in names and term.share < LEAST_SHARE:
        return f"of the variance it is expected to find {100 * term.share:.0f} %"
    return ""


def _narrow(fitted: Fitted, term: Term) -> str:
    if fitted.strategy.name not in ("cluster_robust", "fixed_effects"):
        return ""
    small = fitted.option("variance", "CR1S") in SMALL
    if small and fitted.option("df", "G-1") != "satterthwaite" and term.width < NARROW:
        return "its intervals are too narrow with few or unequal clusters"
    return ""


def _normal_with_few(fitted: Fitted, term: Term) -> str:
    default = "normal" if fitted.strategy.name == "gee" else ""
    normal = fitted.option("df", default) == "normal"
    if normal and term.clusters < FEW_CLUSTERS:
        return "its normal quantiles are too small with few clusters"
    return ""


def _intercept_alone(fitted: Fitted, term: Term) -> str:
    name = fitted.strategy.name
    given = fitted.strategy.options.get("random", (INTERCEPT,))
    alone = name == "mixed_intercept" or (name == "mixed" and tuple(given) == (INTERCEPT,))
    if alone and fitted.model_variance and term.within:
        return "its standard errors are too small if slopes differ between clusters"
    return ""


def _slopes_and_few(fitted: Fitted, term: Term) -> str:
    slopes = fitted.is_mixed and int(fitted.fits.random[0].sum()) > 1
    slopes = slopes and not fitted.strategy.options.get("cross_level", False)
    if slopes and fitted.model_variance and term.constant and term.clusters < FEW_FOR_MAXIMAL:
        return "with few clusters its tests of what is constant within them are liberal"
    return ""


def _singular_by_kenward_roger(fitted: Fitted, term: Term) -> str:
    kenward_roger = fitted.option("df", "") == "kenward_roger" and term.clusters < FEW_CLUSTERS
    if kenward_roger and fitted.fits.status[0] == "singular" and not absence(fitted.fits):
        return "its fit is singular, where Kenward and Roger's test is too cautious"
    return ""


def _cannot_reject(fitted: Fitted, term: Term) -> str:
    least = least_p_value(fitted.strategy, term.clusters)
    if least > LEVEL:
        return f"with {term.clusters} clusters its least p-value is {least:.2g}"
    return ""


def least_p_value(strategy: Strategy, clusters: int) -> float:
    """Return the least p-value that a strategy can give.

    It is above 0 where Rademacher's weights that are all alike give back the data: under the null
    imposed, with residuals as they are.
    """
    options = strategy.options
    ties = (
        strategy.name == "wild_cluster_bootstrap"
        and options.get("weights", "rademacher") == "rademacher"
        and options.get("impose_null", True)
        and options.get("variant", "C") in ("C", "V")
    )
    return float(2.0 ** (1 - clusters)) if ties else 0.0


def _two_stage(fitted: Fitted, term: Term) -> str:
    if fitted.strategy.name != "two_stage":
        return ""
    dropped = re.match(r"(\d+) of (\d+) clusters", str(fitted.fits.message[0]))
    if dropped and int(dropped[1]) > MOST_DROPPED * int(dropped[2]):
        return f"it leaves out {dropped[1]} of {dropped[2]} clusters"
    if term.constant and term.outside:
        return f"it compares the clusters where {term.outside[0]} is 0, beyond the data"
    return ""


RULES: tuple[Callable[[Fitted, Term], str], ...] = (
    _ignores_clusters,
    _no_df,
    _hangs,
    _rests_on_few,
    _mixture,
    _small_share,
    _narrow,
    _normal_with_few,
    _intercept_alone,
    _slopes_and_few,
    _singular_by_kenward_roger,
    _cannot_reject,
    _two_stage,
)
"""Each says why a strategy is not to be relied on for a coefficient; the first that does counts."""

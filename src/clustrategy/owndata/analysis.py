"""One table analysed by several strategies, and what there is to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Shard
from clustrategy.design.description import by_cluster, by_term
from clustrategy.design.from_table import Design
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.mixed.random_coefficients import RandomCoefficients, absence
from clustrategy.owndata.cautions import Caution, cautions
from clustrategy.owndata.joint_tests import joint_tests
from clustrategy.owndata.random_effects import components, effects_by_cluster
from clustrategy.owndata.reliance import Reliance, reliance
from clustrategy.owndata.summary import Summary, summary
from clustrategy.owndata.tidy import tidy

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Analysis:
    """One table analysed by several strategies.

    Printed, and in a notebook, it says what to do, what to mind, and every term by every strategy.

    Attributes
    ----------
    given : Design
        The table as the strategies see it.
    strategies : tuple of Strategy
        In the order of all tables.
    fits : tuple of Fits
        What each of them found.

    Examples
    --------
    Four schools, two of which have a new curriculum:

    >>> import pandas as pd
    >>> from clustrategy import fit
    >>> data = pd.DataFrame({
    ...     "school": ["A"] * 3 + ["B"] * 3 + ["C"] * 3 + ["D"] * 3,
    ...     "new": [0] * 6 + [1] * 6,
    ...     "score": [51, 49, 53, 58, 61, 55, 60, 57, 63, 66, 70, 68],
    ... })
    >>> found = fit(data, "score ~ new", cluster="school")
    >>> new = found.tidy().query("term == 'new'")
    >>> shown = new[["strategy", "estimate", "df", "p_value"]].head(2)
    >>> print(shown.round(3).to_string(index=False))
               strategy  estimate  df  p_value
               OLS CR2       9.5 2.0    0.216
    OLS wild bootstrap       9.5 NaN    0.125
    >>> for caution in found.cautions[1:]:
    ...     print(caution.kind, caution.term)
    few_treated new
    influence new
    constant_within None
    cannot_reject None
    """

    given: Design
    strategies: tuple[Strategy, ...]
    fits: tuple[Fits, ...]

    def tidy(self) -> pd.DataFrame:
        """Return a row per strategy and term, as broom's `tidy`.

        Returns
        -------
        DataFrame
            strategy, engine, term, estimate, std_error, df, statistic, p_value, conf_low,
            conf_high (95 %), status, message. If some p-value is only known to lie in an interval,
            its upper end is p_value and its lower end p_value_low. An unusable fit keeps its rows.
        """
        return self._tidy.copy()

    def glance(self) -> pd.DataFrame:
        """Return a row per strategy, as broom's `glance`.

        Returns
        -------
        DataFrame
            strategy, engine, status, message, nobs (rows used), clusters, rows_left_out, left_out
            (the columns that lack values, and in how many rows), sigma (residual standard
            deviation), and of mixed models singular, reml_criterion (lme4's REMLcrit), theta
            (lme4's, a list), icc (of rows of one cluster at the means of all
            predictors) and the standard deviations and correlations of the random effects, named as
            by broom.mixed: `sd__(Intercept)`, `cor__(Intercept).IV1`.
        """
        import pandas as pd

        rows = []
        for strategy, fits in zip(self.strategies, self.fits, strict=True):
            spread = components(self.given.shard, fits)
            theta = fits.theta[0][np.isfinite(fits.theta[0])]
            rows.append(
                {
                    "strategy": strategy.label,
                    "engine": strategy.engine,
                    "status": fits.status[0],
                    "message": fits.message[0],
                    "nobs": self.given.shard.y.size,
                    "clusters": self.given.shard.clusters,
                    "rows_left_out": self.given.rows_left_out,
                    "left_out": dict(self.given.left_out),
                    "sigma": fits.sigma[0],
                    "singular": bool(fits.singular[0]) if theta.size else None,
                    "reml_criterion": fits.reml_criterion[0],
                    "theta": theta.tolist() if theta.size else None,
                    "icc": icc(self.given.shard, fits),
                    **spread,
                }
            )
        return pd.DataFrame(rows)

    def joint_tests(self) -> pd.DataFrame:
        """Return joint tests of the coefficients of each term of the formula.

        Returns
        -------
        DataFrame
            strategy, engine, term (of the formula, such as a factor), num_df, den_df, statistic
            (F), p_value, message (why there is none). Each is the strategy's own: its variance, its
            degrees of freedom, Hotelling's and HTZ where there are several coefficients.
        """
        return self._joint_tests.copy()

    def cluster_coefficients(self) -> pd.DataFrame:
        """Return the coefficients of every cluster: its own regression beside the mixed models'.

        Returns
        -------
        DataFrame
            A row per mixed model (but for those with `within_between` or `cross_level`, whose
            clusters' coefficients hang on ones that are not reported), cluster and random
            coefficient: strategy, cluster, rows, term, ols_estimate and ols_std_error (of the
            cluster's own regression, NaN where its rows do not tell the coefficient; an intercept
            contains what cluster-level predictors add),
            random_effect (lme4's `ranef`, the conditional mode) and
            random_effect_std_error (its conditional standard deviation), coefficient (lme4's
            `coef`: the fixed effect and the random one).
        """
        return effects_by_cluster(self.given, self.strategies, self.fits)

    def design(self) -> pd.DataFrame:
        """Return what the design can tell of each term.

        Returns
        -------
        DataFrame
            As `clustrategy.design.description.by_term` has it.
        """
        return self._by_term.copy()

    def leverage(self) -> pd.DataFrame:
        """Return how much each cluster has to say of each term.

        Returns
        -------
        DataFrame
            As `clustrategy.design.description.by_cluster` has it.
        """
        return by_cluster(self.given.shard, self.given.names)

    @cached_property
    def reliance(self) -> Reliance:
        """For which coefficients which strategies are not to be relied on, and why."""
        return reliance(self.given.shard, self.strategies, self.fits, self._terms)

    @cached_property
    def cautions(self) -> list[Caution]:
        """What to mind, the worst first."""
        return cautions(self.given, self.strategies, self.fits, self._terms, self.reliance)

    @cached_property
    def summary(self) -> Summary:
        """What to do, what to mind, and the tables, as they are printed."""
        several = any(len(columns) > 1 for columns in self.given.terms.values())
        joint = self._joint_tests if several else None
        return summary(self.given, self.strategies, self._tidy, joint, self.cautions, self.reliance)

    def __str__(self) -> str:
        """Return the summary as text."""
        return self.summary.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.summary.html()

    @cached_property
    def _tidy(self) -> pd.DataFrame:
        return tidy(self.given.shard.terms, self.strategies, self.fits)

    @cached_property
    def _joint_tests(self) -> pd.DataFrame:
        return joint_tests(self.given, self.strategies, self._tidy)

    @cached_property
    def _by_term(self) -> pd.DataFrame:
        return by_term(self.given.shard, self.given.names)

    @cached_property
    def _terms(self) -> list[dict[str, Any]]:
        rows = self._by_term.to_dict("records")
        return [{str(key): row[key] for key in row} for row in rows]


def icc(shard: Shard, fits: Fits) -> float:
    """Return the share of the variance that lies between clusters, at the means of predictors.

    NaN of a fit without random effects, or without numbers.
    """
    if absence(fits, 0):
        return float("nan")
    random = RandomCoefficients.of(fits, 0)
    mean = shard.X[:, random.columns].mean(axis=0)
    variance = float(((mean @ random.factor) ** 2).sum())
    return variance / (variance + 1.0)

"""What a strategy says of several coefficients at once: joint F tests of groups of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.inference import f_p_value
from clustrategy.core.shard import Floats, Ints

USABLE = ("ok", "singular")
NO_DF = "no degrees of freedom"


@dataclass
class JointTests:
    """Tests of K groups of coefficients in each of S datasets: all of a group are zero.

    Attributes
    ----------
    statistic : (S, K) array
        F: of one coefficient its t statistic squared.
    num_df, den_df : (S, K) array
        Degrees of freedom of the F distribution; `den_df = inf` means chi-squared over `num_df`,
        and NaN that the p-value comes from resampling.
    p_value : (S, K) array
        From the F distribution or from resampling.
    message : (S, K) array of str
        Why there is no test; there all numbers are NaN. Empty elsewhere.
    """

    statistic: Floats
    num_df: Floats
    den_df: Floats
    p_value: Floats
    message: NDArray[Any]

    @classmethod
    def blank(cls, sims: int, groups: Sequence[Ints]) -> JointTests:
        """Return tests without numbers but for `num_df`, the sizes of the groups."""
        shape = sims, len(groups)
        sizes = np.array([len(group) for group in groups], dtype=np.float64)
        statistic, den_df, p_value = (np.full(shape, np.nan) for _ in range(3))
        num_df = np.broadcast_to(sizes, shape).copy()
        return cls(statistic, num_df, den_df, p_value, np.full(shape, "", dtype=object))

    @classmethod
    def concatenate(cls, parts: Sequence[JointTests]) -> JointTests:
        """Join the tests of several shards, one after the other."""
        return cls(*(np.concatenate([getattr(p, c.name) for p in parts]) for c in fields(cls)))

    def put(self, sims: Ints, others: JointTests, groups: Sequence[int] | None = None) -> None:
        """Replace the tests of some datasets, and of some groups or all, by others."""
        every = range(self.num_df.shape[1])
        there = np.ix_(sims, np.array(every if groups is None else groups, dtype=np.int64))
        for column in fields(JointTests):
            getattr(self, column.name)[there] = getattr(others, column.name)

    def fill(
        self,
        group: int,
        statistic: Floats,
        den_df: Floats | float,
        reason: str,
        p_value: Floats | None = None,
    ) -> None:
        """Fill in the tests of one group.

        Parameters
        ----------
        group : int
            Which.
        statistic : (S,) array
            F, NaN where there is none.
        den_df : (S,) array or float
            Its denominator's degrees of freedom.
        reason : str
            Why a statistic is NaN.
        p_value : (S,) array, optional
            Of resampling; those of the F distribution by default, which needs `den_df` above 0.
        """
        self.statistic[:, group] = statistic
        self.den_df[:, group] = den_df
        by_f = f_p_value(statistic, self.num_df[:, group], self.den_df[:, group])
        self.p_value[:, group] = by_f if p_value is None else p_value
        none, without = np.isnan(statistic), np.isnan(self.p_value[:, group])
        self.fail(group, none, reason)
        self.fail(group, ~none & without, NO_DF)

    def fail(self, group: int, where: NDArray[np.bool_], message: str) -> None:
        """Blank tests of one group, and say why.

        Parameters
        ----------
        group : int
            Which.
        where : (S,) array of bool
            In which datasets.
        message : str
            Why.
        """
        self.message[where, group] = message
        for name in ("statistic", "num_df", "den_df", "p_value"):
            getattr(self, name)[where, group] = np.nan

    def agree_with(self, fits: Fits, groups: Sequence[Ints], terms: Sequence[str]) -> JointTests:
        """Leave out what the fits leave out: unusable fits, and coefficients without a test.

        Parameters
        ----------
        fits : Fits
            To the same datasets; checked, as `Strategy.fit` does.
        groups : sequence of (q,) array of int
            The coefficients of each group.
        terms : sequence of str
            The names of all coefficients.

        Returns
        -------
        JointTests
            These, changed in place.
        """
        fits.check()
        usable = np.isin(fits.status.astype(str), USABLE)
        tested = np.isfinite(fits.estimate) & np.isfinite(fits.std_error)
        for sim in range(len(usable)):
            here = np.arange(len(usable)) == sim
            for place, group in enumerate(groups):
                missing = ", ".join(terms[column] for column in group if not tested[sim, column])
                if not usable[sim]:
                    self.fail(place, here, str(fits.message[sim]))
                elif missing:
                    self.fail(place, here, f"the strategy does not test {missing}")
        return self

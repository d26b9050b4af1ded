"""What a strategy returns for a shard: estimates and how each fit went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Shard

STATUSES = ("ok", "singular", "not_converged", "undefined", "error")
OWN_TESTS = ("p_value", "p_value_low", "conf_low", "conf_high", "p_nulls")
NO_NUMBERS = "an estimate, standard error or df is not finite or is 0: rescale the data"
OF_COEFFICIENTS = ("estimate", "std_error", "df", *OWN_TESTS, "random")
NUMBERS = ("estimate", "std_error", "df", *OWN_TESTS, "reml_criterion", "sigma")


def _nan(*shape: int) -> Floats:
    return np.full(shape, np.nan)


def _as_wide_as_the_widest(parts: Sequence[Floats]) -> list[Floats]:
    """Fill up the last axis of arrays with NaN."""
    widest = max(part.shape[-1] for part in parts)
    full = [_nan(*part.shape[:-1], widest) for part in parts]
    for one, part in zip(full, parts, strict=True):
        one[..., : part.shape[-1]] = part
    return full


@dataclass
class Fits:
    """One fit to each of the S datasets of a shard, p coefficients each.

    Attributes
    ----------
    estimate, std_error, df : (S, p) array
        NaN where a fit gave none; `df = inf` means normal. In a usable fit, a coefficient that the
        strategy does not estimate (a cluster-level predictor with fixed effects of the clusters)
        is NaN in all three, and one that it does not test in the last two. All others are finite,
        with a standard error above 0 and, unless the strategy has p-values of its own, df above 0
        (see `check`).
    p_value, p_value_low, conf_low, conf_high : (S, p) array
        Of strategies that do not test by t, NaN where the t distribution with `df` gives them.
        Where a p-value is only known to lie in an interval, `p_value` is the upper end and
        `p_value_low` the lower one.
    p_nulls : (S, p, K) array
        Of strategies that test by resampling, the p-values of K null values of each coefficient
        that were asked for, ties counted as in `p_value`; NaN where a coefficient is not tested.
        K is 0 where none were asked for, and for all other strategies.
    status : (S,) array of str
        One of `STATUSES`. An unusable fit stays a row.
    message : (S,) array of str
        The engine's own words, empty where it had none.
    singular : (S,) array of bool
        Whether the fit lies on the boundary: a diagonal element of the relative Cholesky factor
        below 1e-4 (lme4's isSingular).
    optimizer_warning, gradient_warning, hessian_warning : (S,) array of bool
        Which check complains. lme4's gradient and Hessian checks are made on singular fits too,
        where lme4 itself leaves them out from 1.1-19 on; there they do not enter status or
        message. Both of lme4's rules of what failed follow from these and status (`lme4_rules`).
    reml_criterion : (S,) array
        lme4's REMLcrit, NaN where there is none.
    sigma : (S,) array
        Residual standard deviation, NaN where there is none.
    theta : (S, k) array
        Lower triangle, by column, of the relative Cholesky factor, or its diagonal where random
        coefficients are uncorrelated; k may be 0.
    random : (S, p) array of bool
        The coefficients that differ between clusters in the model that was fitted: none but in
        mixed models. Files do not keep it.
    """

    estimate: Floats
    std_error: Floats
    df: Floats
    p_value: Floats
    p_value_low: Floats
    conf_low: Floats
    conf_high: Floats
    p_nulls: Floats
    status: NDArray[Any]
    message: NDArray[Any]
    singular: NDArray[np.bool_]
    optimizer_warning: NDArray[np.bool_]
    gradient_warning: NDArray[np.bool_]
    hessian_warning: NDArray[np.bool_]
    reml_criterion: Floats
    sigma: Floats
    theta: Floats
    random: NDArray[np.bool_]

    @classmethod
    def blank(cls, sims: int, p: int, theta: int = 0, nulls: int = 0) -> Fits:
        """Return fits without a single number yet, status `ok`; theta and K as given."""
        flags = [np.zeros(sims, dtype=bool) for _ in range(4)]
        return cls(
            estimate=_nan(sims, p),
            std_error=_nan(sims, p),
            df=_nan(sims, p),
            p_value=_nan(sims, p),
            p_value_low=_nan(sims, p),
            conf_low=_nan(sims, p),
            conf_high=_nan(sims, p),
            p_nulls=_nan(sims, p, nulls),
            status=np.full(sims, "ok", dtype=object),
            message=np.full(sims, "", dtype=object),
            singular=flags[0],
            optimizer_warning=flags[1],
            gradient_warning=flags[2],
            hessian_warning=flags[3],
            reml_criterion=_nan(sims),
            sigma=_nan(sims),
            theta=_nan(sims, theta),
            random=np.zeros((sims, p), dtype=bool),
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Fits]) -> Fits:
        """Join the fits of several shards, one after the other."""
        columns = {}
        for column in fields(cls):
            values = [getattr(part, column.name) for part in parts]
            if column.name in ("theta", "p_nulls"):
                values = _as_wide_as_the_widest(values)
            columns[column.name] = np.concatenate(values)
        return cls(**columns)

    def take(self, sims: NDArray[np.int64]) -> Fits:
        """Return the fits to some datasets, in the order given."""
        return Fits(**{column.name: getattr(self, column.name)[sims] for column in fields(Fits)})

    def of_first(self, p: int) -> Fits:
        """Return the same fits with the numbers of the first p coefficients alone."""
        numbers = {name: getattr(self, name)[:, :p] for name in OF_COEFFICIENTS}
        return replace(self, **numbers)

    def fail(self, where: NDArray[np.bool_], status: str, message: str | Sequence[str]) -> None:
        """Mark fits as failed and blank their numbers; earlier failures keep their reason.

        Parameters
        ----------
        where : (S,) array of bool
            Which fits.
        status : str
            One of `STATUSES`.
        message : str or sequence of str
            Why, once or for each of the S fits.
        """
        where = where & (self.status == "ok")
        if not where.any():
            return
        self.status[where] = status
        self.message[where] = message if isinstance(message, str) else np.asarray(message)[where]
        for name in NUMBERS:
            getattr(self, name)[where] = np.nan

    def tell(self, sim: int | np.integer[Any], text: str, *, first: bool = False) -> None:
        """Add to the message of a fit, behind or before what it says already.

        Parameters
        ----------
        sim : int
            Which fit.
        text : str
            What there is to say.
        first : bool
            Whether it comes first.
        """
        known = self.message[sim]
        self.message[sim] = "; ".join(filter(None, [text, known] if first else [known, text]))

    def check(self) -> None:
        """Fail usable fits that lack a finite estimate, or a standard error or df above 0.

        Numbers overflow or vanish where data are very large or small. A coefficient without
        standard error and df is one that the strategy does not estimate or test; p-values of its
        own need no df.
        """
        usable = np.isin(self.status.astype(str), ("ok", "singular"))
        untested = np.isnan(self.std_error) & np.isnan(self.df)
        tested = np.isfinite(self.estimate) & np.isfinite(self.std_error) & (self.std_error > 0)
        tested &= (self.df > 0) | (np.isnan(self.df) & np.isfinite(self.p_value))
        tested &= np.isfinite(self.p_nulls).all(axis=2)
        sound = (untested & ~np.isinf(self.estimate) | tested).all(axis=1) & tested.any(axis=1)
        broken = usable & ~sound
        self.status[broken] = "ok"  # What was singular is blanked as well.
        self.fail(broken, "undefined", NO_NUMBERS)


def have_numbers(
    status: NDArray[Any], estimate: Floats, usable: Sequence[str]
) -> NDArray[np.bool_]:
    """Return (..., S) which fits count: of a usable status, and with an estimate that is finite.

    Parameters
    ----------
    status : (..., S) array of str
        How each fit ended.
    estimate : (..., p, S) array
        Of its coefficients.
    usable : sequence of str
        The statuses of fits whose numbers count.
    """
    some = np.isfinite(estimate).any(axis=-2)
    return np.asarray(some & np.isin(status.astype(str), list(usable)))


@dataclass
class Fit:
    """One fit to one dataset, as engines that take one dataset at a time return it.

    Attributes
    ----------
    estimate, std_error, df : (p,) array
        As of `Fits`.
    status, message : str
        As of `Fits`.
    singular, optimizer_warning, gradient_warning, hessian_warning : bool
        As of `Fits`.
    reml_criterion, sigma : float
        As of `Fits`.
    theta : (k,) array
        As of `Fits`.
    """

    estimate: Floats
    std_error: Floats
    df: Floats
    status: str = "ok"
    message: str = ""
    singular: bool = False
    optimizer_warning: bool = False
    gradient_warning: bool = False
    hessian_warning: bool = False
    reml_criterion: float = np.nan
    sigma: float = np.nan
    theta: Floats = field(default_factory=lambda: _nan(0))


def one_line(text: object) -> str:
    """Return a message on one line."""
    return " ".join(str(text).split())


def fit_each(
    shard: Shard, fit: Callable[[Shard], Fit], out: Fits | None = None, theta: int = 0
) -> Fits:
    """Fit the datasets one by one; a fit that throws becomes a row with status `error`.

    Parameters
    ----------
    shard : Shard
        The datasets.
    fit : callable
        Fits a shard of one dataset.
    out : Fits, optional
        Filled in place; those that have failed already are passed over.
    theta : int
        The length of theta, where `out` is not given.

    Returns
    -------
    Fits
    """
    if out is None:
        out = Fits.blank(shard.sims, shard.p, theta)
    for sim in map(int, np.flatnonzero(out.status == "ok")):
        try:
            one = fit(shard.dataset(sim))
            numbers = np.isfinite([*one.estimate, *one.std_error]).all() and (one.df > 0).all()
            if one.status in ("ok", "singular") and not numbers:
                raise ArithmeticError(f"the engine gave numbers that are not finite {one.message}")
            for column in fields(Fit):
                where = (sim, slice(one.theta.size)) if column.name == "theta" else sim
                getattr(out, column.name)[where] = getattr(one, column.name)
        except Exception as error:
            out.status[sim] = "ok"
            out.fail(np.arange(shard.sims) == sim, "error", one_line(error) or type(error).__name__)
    return out

"""What the mixed models are, whichever engine fits them by REML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.errors import nearest
from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.estimation.least_squares import DEPENDENT, NO_RESIDUAL, explained, solve
from clustrategy.estimation.proportional_columns import first_proportional

# As lme4's isSingular.
SINGULAR_TOLERANCE = 1e-4
ONE_CLUSTER = "one cluster: a mixed model needs two"
ONE_DF = "one residual degree of freedom cannot tell variances apart"


def random_columns(shard: Shard) -> NDArray[np.bool_]:
    """Find the columns of X whose coefficients can differ between clusters.

    A column that is, within each cluster, a multiple of an earlier one is left out: a
    cluster-level predictor (a multiple of the intercept), or its product with a predictor that
    is there already.

    Parameters
    ----------
    shard : Shard
        The datasets.

    Returns
    -------
    (S, p) array of bool
    """
    return first_proportional(shard.triangles[..., : shard.p]) == np.arange(shard.p)


def intercept_column(shard: Shard) -> NDArray[np.bool_]:
    """Find the intercept among the columns of X.

    Parameters
    ----------
    shard : Shard
        The datasets.

    Returns
    -------
    (S, p) array of bool

    Raises
    ------
    ValueError
        Where the model has no intercept.
    """
    if INTERCEPT not in shard.terms:
        raise ValueError("a random intercept needs a model with an intercept")
    return np.broadcast_to(np.array(shard.terms) == INTERCEPT, (shard.sims, shard.p))


@dataclass(frozen=True)
class MixedModel:
    """A linear mixed model with one grouping factor.

    Attributes
    ----------
    random : callable
        Gives the columns of X that have random coefficients, (S, p), of a shard.
    correlated : bool
        Whether the random coefficients may correlate.
    """

    random: Callable[[Shard], NDArray[np.bool_]]
    correlated: bool

    def parameters(self, q: int) -> int:
        """Return the number of variances and covariances of q random coefficients."""
        return q * (q + 1) // 2 if self.correlated else q


MAXIMAL = MixedModel(random_columns, correlated=True)
"""Every coefficient that can differ between clusters does (Barr, Levy, Scheepers & Tily 2013,
JML 68, 255-278)."""

UNCORRELATED = MixedModel(random_columns, correlated=False)
"""The same without correlations (Bates, Kliegl, Vasishth & Baayen 2015, arXiv:1506.04967)."""

INTERCEPT_ONLY = MixedModel(intercept_column, correlated=True)
"""The intercept alone differs between clusters."""


def given(random: Sequence[str], correlated: bool) -> MixedModel:
    """Return the model whose random coefficients are named.

    Parameters
    ----------
    random : sequence of str
        Names of columns of X; that of a category's column, such as `arm`, stands for all of its
        levels, `arm[T.b]` and so on.
    correlated : bool
        Whether they may correlate.

    Returns
    -------
    MixedModel

    Raises
    ------
    ValueError
        Once the columns are asked for, where a name is none of theirs.
    """
    names = list(random)

    def columns(shard: Shard) -> NDArray[np.bool_]:
        found = np.zeros(shard.p, dtype=bool)
        for name in names:
            those = [term == name or term.startswith(f"{name}[") for term in shard.terms]
            if not any(those):
                known = ", ".join(shard.terms)
                raise ValueError(
                    f"no coefficient {name!r} to be random{nearest(name, shard.terms)}; there are "
                    f"{known}"
                )
            found |= np.array(those)
        return np.broadcast_to(found, (shard.sims, shard.p))

    return MixedModel(columns, correlated)


MODELS = {
    "mixed_maximal": MAXIMAL,
    "mixed_uncorrelated": UNCORRELATED,
    "mixed_intercept": INTERCEPT_ONLY,
}
"""The models by the names of their strategies."""


def formula(
    shard: Shard,
    names: Sequence[str],
    random: Sequence[int],
    response: str = "y",
    correlated: bool = True,
) -> str:
    """Write a model in lme4's notation.

    Parameters
    ----------
    shard : Shard
        Datasets with the terms of the model.
    names : sequence of str
        What the columns of X are called in the formula.
    random : sequence of int
        The columns of X that have random coefficients.
    response : str
        The name of the response.
    correlated : bool
        Whether the random coefficients share one term or have a term each.

    Returns
    -------
    str
        With `cluster` for the grouping factor.
    """

    def side(columns: Sequence[int]) -> str:
        terms = [names[c] for c in columns if shard.terms[c] != INTERCEPT]
        has_intercept = any(shard.terms[c] == INTERCEPT for c in columns)
        return " + ".join(["1" if has_intercept else "0", *terms])

    blocks = [random] if correlated else [[column] for column in random]
    return " + ".join(
        [
            f"{response} ~ {side(range(shard.p))}",
            *(f"({side(block)} | cluster)" for block in blocks),
        ]
    )


def is_singular(theta: Floats, correlated: bool = True) -> NDArray[np.bool_]:
    """Tell which fits lie on the boundary, as lme4's isSingular.

    Parameters
    ----------
    theta : (S, k) array
        The lower triangle of the relative Cholesky factor by column, or its diagonal alone where
        the random coefficients are not `correlated`.
    correlated : bool
        Whether theta holds covariances too.

    Returns
    -------
    (S,) array of bool
        Whether an element of the diagonal is below `SINGULAR_TOLERANCE`.
    """
    if not correlated:
        return np.any(theta < SINGULAR_TOLERANCE, axis=1)
    q = int(np.sqrt(2 * theta.shape[1] + 0.25) - 0.5)
    diagonal = [column * q - column * (column - 1) // 2 for column in range(q)]
    return np.any(theta[:, diagonal] < SINGULAR_TOLERANCE, axis=1)


def blank_fits(shard: Shard, model: MixedModel, wanted: NDArray[np.bool_] | None = None) -> Fits:
    """Return fits without numbers; those that cannot be made are marked undefined.

    Parameters
    ----------
    shard : Shard
        The datasets.
    model : MixedModel
        What will be fitted.
    wanted : (S,) array of bool, optional
        The datasets to fit; the others are left undefined. All by default.

    Returns
    -------
    Fits
    """
    random = model.random(shard)
    fits = Fits.blank(shard.sims, shard.p, model.parameters(int(random.sum(axis=1).max())))
    mark_undefined(shard, random, fits)
    if wanted is not None:
        fits.fail(~wanted, "undefined", "not asked for")
    return fits


def mark_undefined(shard: Shard, random: NDArray[np.bool_], fits: Fits) -> None:
    """Fail the fits to datasets that cannot carry a mixed model.

    Parameters
    ----------
    shard : Shard
        The datasets.
    random : (S, p) array of bool
        The columns of X that have random coefficients.
    fits : Fits
        Marked in place.
    """
    if shard.clusters < 2:
        fits.fail(np.ones(shard.sims, dtype=bool), "undefined", ONE_CLUSTER)
    _mark_same_within(shard, random, fits)
    effects = shard.clusters * random.sum(axis=1)
    fits.fail(
        shard.n_obs <= effects,
        "undefined",
        [
            f"{rows} rows, not more than the {number} random effects"
            for rows, number in zip(shard.n_obs, effects, strict=True)
        ],
    )
    solution = solve(shard)
    fits.fail(~solution.defined, "undefined", DEPENDENT)
    fits.fail(explained(shard.triangles, shard.n_obs, solution), "undefined", NO_RESIDUAL)
    fits.fail(shard.n_obs - shard.p < 2, "undefined", ONE_DF)
    first = first_proportional(shard.triangles[..., : shard.p])
    fixed = (first[:, None] == np.arange(shard.p)[:, None]).sum(axis=2)
    most, G = np.where(random, fixed, 0).max(axis=1), shard.clusters
    fits.fail(
        most >= G,
        "undefined",
        [f"{G} clusters cannot carry a variance beside {k} cluster-level terms" for k in most],
    )


def _mark_same_within(shard: Shard, random: NDArray[np.bool_], fits: Fits) -> None:
    """Fail the fits with a random coefficient that is a multiple of another within each cluster."""
    for columns in np.unique(random, axis=0):
        places = np.flatnonzero(columns)
        first = first_proportional(shard.triangles[..., places])
        here = (random == columns).all(axis=1)
        for place in range(1, places.size):
            of = first[:, place]
            names = [shard.terms[places[other]] for other in of]
            fits.fail(
                here & (of != place),
                "undefined",
                [
                    f"the random coefficients of {shard.terms[places[place]]} and {name} cannot be "
                    "told apart: one is a multiple of the other within every cluster"
                    for name in names
                ],
            )

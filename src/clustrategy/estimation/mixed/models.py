"""What the mixed models are, whichever engine fits them by REML."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.errors import nearest
from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.estimation.least_squares import DEPENDENT, NO_RESIDUAL, explained, solve

# As lme4's isSingular.
SINGULAR_TOLERANCE = 1e-4
ONE_CLUSTER = "one cluster: a mixed model needs two"
ONE_DF = "one residual degree of freedom cannot tell variances apart"

LISTED = 12
"""So many coefficients a message names."""

_LEVEL = re.compile(r"\[(?:[^][]|\[[^][]*\])*\]")
"""What the name of a column has more than that of its term: `[T.b]` in `arm[T.b]:age`."""


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
    return shard.first_proportional == np.arange(shard.p)


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


def named_columns(names: Sequence[str], terms: Sequence[str]) -> NDArray[np.bool_]:
    """Find coefficients by name.

    Parameters
    ----------
    names : sequence of str
        Each the name of a coefficient, or of a term of a formula, which stands for all of its
        coefficients: `arm` for `arm[T.b]` and `arm[T.c]`.
    terms : sequence of str
        The names of the p coefficients.

    Returns
    -------
    (p,) array of bool
    """
    wanted = set(names)
    return np.array([not wanted.isdisjoint((term, _LEVEL.sub("", term))) for term in terms])


def unknown_name(names: Sequence[str], terms: Sequence[str]) -> str:
    """Say which of the names is that of no coefficient, as `named_columns` takes them.

    Parameters
    ----------
    names, terms : sequence of str
        As of `named_columns`.

    Returns
    -------
    str
        What was expected and what was found; empty where all are known.
    """
    for name in names:
        if not named_columns([name], terms).any():
            some = ", ".join(terms[:LISTED])
            more = f" and {len(terms) - LISTED} more" if len(terms) > LISTED else ""
            known = list(dict.fromkeys([*terms, *(_LEVEL.sub("", term) for term in terms)]))
            return f"found {name!r}{nearest(name, known)}; the coefficients are {some}{more}"
    return ""


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


def given(names: Sequence[str], correlated: bool = True) -> MixedModel:
    """Return the model in which named coefficients differ between clusters.

    Parameters
    ----------
    names : sequence of str
        As of `named_columns`.
    correlated : bool
        Whether the random coefficients may correlate.

    Returns
    -------
    MixedModel
        Whose `random` raises ValueError where a name is that of no coefficient.
    """

    def random(shard: Shard) -> NDArray[np.bool_]:
        if unknown := unknown_name(names, shard.terms):
            raise ValueError(f"random must name coefficients of the model, {unknown}")
        columns = named_columns(names, shard.terms)
        return np.broadcast_to(columns, (shard.sims, shard.p))

    return MixedModel(random, correlated)


MODELS = {
    "mixed_maximal": MAXIMAL,
    "mixed_uncorrelated": UNCORRELATED,
    "mixed_intercept": INTERCEPT_ONLY,
}
"""The models of strategies whose random effects are fixed by their names."""


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
    fits.random[:] = random
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
    first = shard.first_proportional
    mark_alike(shard.terms, random, first, fits)
    effects = shard.clusters * random.sum(axis=1)
    scarce = shard.n_obs <= effects
    if scarce.any():
        fits.fail(
            scarce,
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
    fixed = (first[:, None] == np.arange(shard.p)[:, None]).sum(axis=2)
    mark_crowded(shard.clusters, np.where(random, fixed, 0).max(axis=1), fits)


def mark_crowded(clusters: int, terms: Ints, fits: Fits) -> None:
    """Fail the fits whose random coefficients have no variance beside their cluster-level terms.

    Parameters
    ----------
    clusters : int
        G.
    terms : (S,) array of int
        The most cluster-level terms that the clusters' coefficients of one column are explained by.
    fits : Fits
        Marked in place.
    """
    fits.fail(
        terms >= clusters,
        "undefined",
        [
            f"{clusters} clusters cannot carry a variance beside {k} cluster-level terms"
            for k in terms
        ],
    )


def mark_alike(terms: Sequence[str], random: NDArray[np.bool_], first: Ints, fits: Fits) -> None:
    """Fail the fits with random coefficients that the clusters' rows cannot tell apart.

    Parameters
    ----------
    terms : sequence of str
        The names of the p coefficients.
    random : (S, p) array of bool
        The columns of X that have random coefficients.
    first : (S, p) array of int
        As `first_proportional` gives it.
    fits : Fits
        Marked in place.
    """
    intercept = terms.index(INTERCEPT) if INTERCEPT in terms else None
    for column in np.flatnonzero(random.any(axis=0)).tolist():
        here = random[:, column]
        if intercept is not None and column != intercept:
            fits.fail(
                here & (first[:, column] == first[:, intercept]),
                "undefined",
                f"{terms[column]} varies within no cluster: its coefficient cannot be random",
            )
        alike = random[:, :column] & (first[:, :column] == first[:, [column]])
        if (here & alike.any(axis=1)).any():
            fits.fail(
                here & alike.any(axis=1),
                "undefined",
                [
                    f"{terms[other]} and {terms[column]} are multiples of one another within each "
                    "cluster: their random coefficients cannot be told apart"
                    for other in alike.argmax(axis=1).tolist()
                ],
            )

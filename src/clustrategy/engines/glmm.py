"""Mixed models by glmm (PyPI, Rust): the default engine."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from clustrategy.dataset import INTERCEPT, Floats, Shard
from clustrategy.errors import EngineError
from clustrategy.fits import Fit
from clustrategy.strategies import mixed


def check() -> None:
    """Raise EngineError where glmm cannot be imported."""
    try:
        import glmm  # noqa: F401
    except ImportError as error:
        raise EngineError(
            f"the engine 'glmm' cannot be imported ({error}); its wheels are for Linux x86-64, "
            "macOS arm64 and Windows: elsewhere set 'engine: lme4'"
        ) from None


def fit_one(shard: Shard, random: Sequence[int]) -> Fit:
    """Fit `y ~ X + (Z | cluster)` by REML to the one dataset of a shard, Z columns of X."""
    import glmm

    names = [f"x{column}" for column in range(shard.p)]
    data: dict[str, object] = {
        name: np.ascontiguousarray(x) for name, x in zip(names, shard.X.T, strict=True)
    }
    width = len(str(shard.clusters))
    labels = np.array([f"{g:0{width}d}" for g in range(shard.clusters)])
    data |= {"y": shard.y, "cluster": labels[shard.cluster_codes(0)]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = glmm.fit(data, formula(shard, names, random))
    message = "; ".join(f"{w['title']}: {w['message']}" for w in fit.warnings)
    q = len(random)
    if not fit.converged:
        return Fit(
            fit.beta,
            fit.se,
            fit.coef_df,
            "not_converged",
            message,
            optimizer_warning=True,
            theta=np.full(q * (q + 1) // 2, np.nan),
        )
    theta = relative_factor(np.asarray(fit.varcorr[0], dtype=float) / fit.dispersion)
    diagonal = [column * q - column * (column - 1) // 2 for column in range(q)]
    singular = bool((theta[diagonal] < mixed.SINGULAR_TOLERANCE).any())
    return Fit(
        fit.beta,
        fit.se,
        fit.coef_df,
        "singular" if singular else "ok",
        message,
        singular=singular,
        reml_criterion=-2.0 * fit.loglik,
        sigma=float(np.sqrt(fit.dispersion)),
        theta=theta,
    )


def formula(shard: Shard, names: Sequence[str], random: Sequence[int]) -> str:
    """The model in lme4's notation, for columns `y`, `cluster` and the names given."""

    def side(columns: Sequence[int]) -> str:
        terms = [names[c] for c in columns if shard.terms[c] != INTERCEPT]
        has_intercept = any(shard.terms[c] == INTERCEPT for c in columns)
        return " + ".join(["1" if has_intercept else "0", *terms])

    return f"y ~ {side(range(shard.p))} + ({side(random)} | cluster)"


def relative_factor(packed: Floats) -> Floats:
    """lme4's theta from a relative covariance matrix, both packed by column (lower triangle).

    A Cholesky factor that allows rank deficiency: a pivot at rounding level is 0 and so is its
    column.
    """
    q = int(np.sqrt(2 * packed.size + 0.25) - 0.5)
    rows, columns = np.triu_indices(q)[::-1]
    rest = np.zeros((q, q))
    rest[rows, columns] = packed
    scale = rest.diagonal().copy()
    factor = np.zeros((q, q))
    for k in range(q):
        if rest[k, k] > 1e-14 * scale[k]:
            factor[k:, k] = rest[k:, k] / np.sqrt(rest[k, k])
            rest[k:, k:] -= np.outer(factor[k:, k], factor[k:, k])
    return factor[rows, columns]


mixed.register("glmm", fit_one)

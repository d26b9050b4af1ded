"""Mixed models by lme4's own criterion, optimised without bounds: the reference for optima.

lme4 keeps the diagonal of the relative Cholesky factor at or above zero and, where it meets that
bound, at times stops far above the optimum. The criterion itself knows no bound: it depends on
the factor through the covariance matrix alone, so a column may change its sign as a whole. Here
lme4's deviance function is optimised as it is, and what was found is handed back to lme4 and
lmerTest for estimates, standard errors and degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from clustrategy.core.fits import Fit, Fits
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.engines.lme4 import check as check_lme4
from clustrategy.engines.lme4 import fit_by, versions
from clustrategy.engines.one_by_one import fit_mixed
from clustrategy.estimation.mixed.models import INTERCEPT_ONLY, MAXIMAL, UNCORRELATED, given
from clustrategy.strategies.random import no_such_coefficient, twice
from clustrategy.strategies.registry import strategy

# nlminb from two starts, since about one small dataset in 200 has a second optimum, then from the
# better end with tight tolerances, then Newton steps on lme4's numerical derivatives while they
# gain anything. Where one more step promises nothing, nlminb's doubts do not count.
_FIT = """
  search <- function(deviance, start) {
    ends <- lapply(c(1, 0.3), function(factor) {
      stats::nlminb(factor * start, deviance, control = list(eval.max = 5000, iter.max = 5000))
    })
    best <- ends[[which.min(sapply(ends, `[[`, "objective"))]]
    tight <- list(eval.max = 5000, iter.max = 5000, rel.tol = 1e-14, x.tol = 1e-12)
    polished <- stats::nlminb(best$par, deviance, control = tight)
    best[c("par", "objective")] <- polished[c("par", "objective")]
    for (step in 1:6) {
      best$derivatives <- lme4:::deriv12(deviance, best$par, fx = best$objective)
      if (!all(is.finite(unlist(best$derivatives)))) stop("the REML criterion has no minimum")
      curvature <- eigen(best$derivatives$Hessian, symmetric = TRUE)
      kept <- curvature$values > 1e-8 * max(curvature$values)
      axes <- curvature$vectors[, kept, drop = FALSE]
      slope <- crossprod(axes, best$derivatives$gradient)
      gain <- sum(slope^2 / curvature$values[kept]) / 2
      moved <- best$par - drop(axes %*% (slope / curvature$values[kept]))
      value <- deviance(moved)
      if (!(value < best$objective - 1e-10)) break
      best[c("par", "objective")] <- list(moved, value)
    }
    if (gain < 1e-6) best$convergence <- 0L
    best
  }

  function(formula, columns) {
    parsed <- hear(
      lme4::lFormula(as.formula(formula, env = baseenv()), as.data.frame(columns), REML = TRUE)
    )
    heard <- parsed$heard
    parsed <- parsed$value
    terms <- parsed$reTrms
    start <- terms$theta + 0 # lme4 writes into the vector itself
    deviance <- do.call(lme4::mkLmerDevfun, parsed)
    found <- suppressWarnings(search(deviance, start))

    # theta goes by column, each of which begins with its element of the diagonal
    diagonal <- terms$lower == 0
    sign <- ifelse(found$par[diagonal] < 0, -1, 1)[cumsum(diagonal)]
    theta <- sign * found$par
    derivatives <- list(gradient = sign * found$derivatives$gradient,
                        Hessian = outer(sign, sign) * found$derivatives$Hessian)
    opt <- list(par = theta, fval = deviance(theta), conv = found$convergence,
                message = found$message)
    fit <- lme4::mkMerMod(environment(deviance), opt, terms, parsed$fr)
    fit@theta <- theta # not the vector that further evaluations write into
    table <- hear(coef(summary(lmerTest:::as_lmerModLT(fit, deviance))))
    code <- found$convergence
    optimizer <- if (code != 0) paste("convergence code", code, "from nlminb:", found$message)
    answer(fit, table$value, theta, derivatives, code, checks(derivatives, theta, terms$lower),
           as.character(optimizer), c(heard, table$heard))
  }
"""


def check() -> None:
    """Check that R, its packages and rpy2 are here.

    Raises
    ------
    EngineError
        Where one of them is missing.
    """
    check_lme4("lme4_unbounded")


def fit_one(shard: Shard, random: Sequence[int], correlated: bool = True) -> Fit:
    """Fit `y ~ X + (Z | cluster)` by REML to the one dataset of a shard.

    lme4 gets response and predictors in units near their own size, so that no step of a numerical
    derivative is too large or too small for them. The units are powers of two: where data need
    none, every number stays what it was, to the last bit.

    Parameters
    ----------
    shard : Shard
        A shard of one dataset.
    random : sequence of int
        The columns of X that are Z's.
    correlated : bool
        Whether Z has one term; if not, each of its columns has a term of its own, in their order.

    Returns
    -------
    Fit
    """
    unit_y = _unit(np.asarray(np.std(shard.y)))
    unit_X = _unit(np.sqrt(np.mean(shard.X**2, axis=0)))
    scaled = replace(shard, y=shard.y / unit_y, X=shard.X / unit_X)
    fit = fit_by(_FIT, scaled, random, correlated)
    q = len(random)
    rows = np.triu_indices(q)[1] if correlated else np.arange(q)
    nu = shard.y.size - shard.p
    back = 2.0 * (nu * np.log(unit_y) + np.log(unit_X).sum())
    return replace(
        fit,
        estimate=fit.estimate * (unit_y / unit_X),
        std_error=fit.std_error * (unit_y / unit_X),
        reml_criterion=float(fit.reml_criterion + back),
        sigma=float(fit.sigma * unit_y),
        theta=fit.theta / unit_X[list(random)][rows],
    )


def _unit(size: Floats) -> Floats:
    """Return the powers of two nearest to sizes, 1 for nothing."""
    return np.exp2(np.round(np.log2(np.where(size > 0, size, 1.0))))


register = partial(
    strategy, engine="lme4_unbounded", check=check, versions=versions, equivariant=True
)


@register("mixed", refusal=twice, unsuited=no_such_coefficient)
def mixed(shard: Shard, *, random: tuple[str, ...] = (INTERCEPT,), correlated: bool = True) -> Fits:
    """Fit a mixed model in which the named coefficients differ between clusters.

    Parameters
    ----------
    shard : Shard
        The datasets.
    random, correlated : tuple of str, bool
        As of the numpy engine.

    Returns
    -------
    Fits
    """
    return fit_mixed(shard, given(random, correlated), partial(fit_one, correlated=correlated))


@register("mixed_maximal")
def mixed_maximal(shard: Shard) -> Fits:
    """Fit random intercepts and slopes, with all their correlations."""
    return fit_mixed(shard, MAXIMAL, fit_one)


@register("mixed_uncorrelated")
def mixed_uncorrelated(shard: Shard) -> Fits:
    """Fit random intercepts and slopes without correlations."""
    return fit_mixed(shard, UNCORRELATED, partial(fit_one, correlated=False))


@register("mixed_intercept")
def mixed_intercept(shard: Shard) -> Fits:
    """Fit random intercepts alone."""
    return fit_mixed(shard, INTERCEPT_ONLY, fit_one)

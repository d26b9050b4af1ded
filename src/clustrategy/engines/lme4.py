"""Mixed models by lme4 and lmerTest through rpy2: the reference.

One R process, inside this one, serves all fits of a job; data go to R as vectors in memory.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from clustrategy.core.errors import EngineError
from clustrategy.core.fits import Fit, Fits, one_line
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.engines.one_by_one import fit_mixed
from clustrategy.estimation.mixed.models import (
    INTERCEPT_ONLY,
    MAXIMAL,
    UNCORRELATED,
    formula,
    given,
)
from clustrategy.strategies.random import no_such_coefficient, twice
from clustrategy.strategies.registry import strategy

PACKAGES = ("lme4", "lmerTest")
INSTALL = (
    "run 'make env', or install R with lme4 and lmerTest "
    "(Debian: r-base-core r-cran-lme4 r-cran-lmertest), or use 'engine: numpy', which needs no R"
)

_VERSIONS = """
packages <- installed.packages()[, "Version"]
cat("R", as.character(getRversion()), "\\n")
for (name in sort(names(packages))) cat(name, packages[[name]], "\\n")
"""

# What every fit by lme4 has in common. `hear` evaluates an expression and keeps what it says aloud;
# `checks` is what lme4 itself would say of these derivatives, and with bounds of -Inf, which no
# parameter can be at, what it would say were the fit not singular: its gradient and Hessian checks
# as versions up to 1.1-18 always made them. Newer ones leave them out above a number of rows or
# parameters too, hence the Inf.
_SHARED = """
  hear <- function(expression) {
    heard <- character()
    keep <- function(condition) heard <<- c(heard, conditionMessage(condition))
    value <- withCallingHandlers(
      expression,
      warning = function(w) { keep(w); invokeRestart("muffleWarning") },
      message = function(m) { keep(m); invokeRestart("muffleMessage") }
    )
    list(value = value, heard = trimws(heard))
  }
  checks <- function(derivatives, theta, lower) {
    control <- lme4::lmerControl()$checkConv
    control[c("check.conv.nobsmax", "check.conv.nparmax")] <- Inf
    found <- hear(lme4:::checkConv(derivatives, theta, ctrl = control, lbound = lower))$value
    as.character(unlist(found$messages))
  }
  answer <- function(fit, table, theta, derivatives, code, messages, optimizer, heard) {
    list(
      as.double(table[, "Estimate"]), as.double(table[, "Std. Error"]),
      if ("df" %in% colnames(table)) as.double(table[, "df"]) else rep(NA_real_, nrow(table)),
      as.double(fit@devcomp$cmp[["REML"]]), as.double(sigma(fit)), theta,
      as.logical(lme4::isSingular(fit, tol = 1e-4)),
      as.integer(code), messages, optimizer, heard,
      checks(derivatives, theta, rep(-Inf, length(theta)))
    )
  }
"""

# A fit as lmerTest's users get it, with every message kept apart: lme4's own checks are in
# optinfo$conv, what was said aloud besides is in `heard`. From 1.1-38 on lme4 has no derivatives
# of some fits, singular ones among them.
_FIT = """
  function(formula, columns) {
    fit <- hear(
      lmerTest::lmer(as.formula(formula, env = baseenv()), as.data.frame(columns), REML = TRUE)
    )
    table <- hear(coef(summary(fit$value)))
    heard <- c(fit$heard, table$heard)
    fit <- fit$value
    theta <- as.double(fit@theta) + 0
    derivatives <- fit@optinfo$derivs
    if (is.null(derivatives)) derivatives <- lme4:::deriv12(lme4::getME(fit, "devfun"), theta)
    conv <- fit@optinfo$conv
    answer(fit, table$value, theta, derivatives, if (is.null(conv$opt)) 0L else conv$opt,
           as.character(unlist(conv$lme4$messages)), as.character(unlist(fit@optinfo$warnings)),
           heard)
  }
"""


def check(engine: str = "lme4") -> None:
    """Check that R, its packages and rpy2 are here.

    Parameters
    ----------
    engine : str
        What the message calls the engine.

    Raises
    ------
    EngineError
        Where one of them is missing.
    """
    try:
        missing = [package for package in PACKAGES if package not in installed()]
    except FileNotFoundError:
        raise EngineError(f"the engine {engine!r} needs R, which is not here: {INSTALL}") from None
    if missing:
        raise EngineError(
            f"the engine {engine!r} needs the R package {' and '.join(missing)}, "
            f"which this R does not have: {INSTALL}"
        )
    try:
        import rpy2  # noqa: F401
    except ImportError:
        raise EngineError(
            f"the engine {engine!r} needs rpy2, which is not in this Python: run 'make env'"
        ) from None


def versions() -> dict[str, str]:
    """Return the versions of the packages that compute the numbers."""
    return {name: installed()[name] for name in ("R", *PACKAGES)}


@cache
def installed() -> dict[str, str]:
    """Return the versions of R and of all its packages, by name.

    Raises
    ------
    FileNotFoundError
        Where there is no R.
    """
    home = os.environ.get("R_HOME")
    rscript = os.path.join(home, "bin", "Rscript") if home else "Rscript"
    answer = subprocess.run(
        [rscript, "--vanilla", "-e", _VERSIONS], capture_output=True, text=True, check=False
    )
    return dict(line.split() for line in answer.stdout.splitlines())


@cache
def _r() -> Any:
    os.environ.setdefault("RPY2_CFFI_MODE", "ABI")
    import rpy2.rinterface as rinterface

    # R sets its own library path for the programs it starts; ours are not to inherit it.
    path = os.environ.get("LD_LIBRARY_PATH")
    rinterface.initr()
    os.environ.pop("LD_LIBRARY_PATH", None)
    if path is not None:
        os.environ["LD_LIBRARY_PATH"] = path
    for package in PACKAGES:
        rinterface.evalr(f'suppressPackageStartupMessages(loadNamespace("{package}"))')
    return rinterface


@cache
def _function(source: str) -> Any:
    return _r().evalr(f"local({{ {_SHARED} {source} }})")


def _vector(values: Floats) -> Any:
    return _r().FloatSexpVector.from_memoryview(np.ascontiguousarray(values).data)


def fit_one(shard: Shard, random: Sequence[int], correlated: bool = True) -> Fit:
    """Fit `y ~ X + (Z | cluster)` by REML to the one dataset of a shard.

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
    return fit_by(_FIT, shard, random, correlated)


def fit_by(source: str, shard: Shard, random: Sequence[int], correlated: bool) -> Fit:
    """Fit the one dataset of a shard by a function of R.

    Parameters
    ----------
    source : str
        The function, `function(formula, columns)`, which returns what `answer` returns.
    shard : Shard
        A shard of one dataset.
    random : sequence of int
        The columns of X that have random coefficients.
    correlated : bool
        Whether these may correlate.

    Returns
    -------
    Fit

    Raises
    ------
    RuntimeError
        With R's message, where R gives up or drops columns.
    """
    r = _r()
    names = [f"x{column}" for column in range(shard.p)]
    codes = r.IntSexpVector.from_memoryview((shard.cluster_codes(0) + 1).astype(np.int32).data)
    columns = r.ListSexpVector([_vector(shard.y), codes, *(_vector(x) for x in shard.X.T)])
    columns.names = r.StrSexpVector(["y", "cluster", *names])
    model = r.StrSexpVector([formula(shard, names, random, correlated=correlated)])
    try:
        answer = _function(source)(model, columns)
    except r.embedded.RRuntimeError as error:
        raise RuntimeError(str(error).strip()) from None
    estimate, std_error, df, reml, sigma, theta = (np.array(answer[i]) for i in range(6))
    singular, code = bool(answer[6][0]), int(answer[7][0])
    checks, optimizer, heard, unskipped = (list(answer[i]) for i in range(8, 12))
    if estimate.size != shard.p:
        raise RuntimeError("lme4 dropped columns: the predictors are linearly dependent")
    # lmerTest looks at the curvature itself, and says so beside lme4's own checks.
    curvature = any(re.search(r"failed to converge with \d+ negative eigenvalue", m) for m in heard)
    complained = _gradient(checks) or _hessian(checks) or (curvature and not singular)
    codes_said = [f"optimizer code {code}"] if code != 0 else []
    said = _once([*codes_said, *checks, *optimizer, *heard])
    return Fit(
        estimate,
        std_error,
        df,
        "not_converged" if code != 0 or complained else "singular" if singular else "ok",
        "; ".join(said),
        singular=singular,
        optimizer_warning=code != 0,
        gradient_warning=_gradient(unskipped),
        hessian_warning=_hessian(unskipped) or curvature,
        reml_criterion=float(reml[0]),
        sigma=float(sigma[0]),
        theta=theta,
    )


def _gradient(checks: Sequence[str]) -> bool:
    return any("grad" in message.lower() for message in checks)


def _hessian(checks: Sequence[str]) -> bool:
    return any("Hessian" in message or "unidentifiable" in message for message in checks)


def _once(messages: Sequence[str]) -> list[str]:
    """Put messages on one line each, without those that others repeat."""
    lines = list(dict.fromkeys(one_line(message) for message in messages))
    return [line for line in lines if not any(line in o for o in lines if o != line)]


register = partial(strategy, engine="lme4", check=check, versions=versions, equivariant=True)


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

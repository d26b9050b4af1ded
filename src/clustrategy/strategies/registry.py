"""The registry: a strategy is a name, an engine a way to compute it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from clustrategy.core.fits import Fits

FitFunction = Callable[..., Fits]
"""`fit(shard, *, option=default, ...) -> Fits`; the options are keyword-only arguments."""

DEFAULT_ENGINE = "numpy"


def always_finite(rows: int, slopes: int, **options: object) -> bool:
    """Return True: the estimates have a finite variance whatever the data."""
    return True


def no_refusal(**options: object) -> str:
    """Return no reason against any options."""
    return ""


def no_check() -> None:
    """Do nothing: the engine needs nothing that may be missing."""


def numpy_versions() -> dict[str, str]:
    """Return the versions of NumPy and SciPy."""
    return {"numpy": version("numpy"), "scipy": version("scipy")}


@dataclass(frozen=True)
class Registered:
    """A strategy as one engine computes it.

    Attributes
    ----------
    function : callable
        Fits a shard.
    finite_variance : callable
        `finite_variance(rows, slopes, **options)` tells whether the estimates have a finite
        variance with `rows` rows in the smallest cluster and `slopes` predictors that vary within
        clusters. That of the default engine holds for all engines of the strategy.
    refusal : callable
        `refusal(**options)` says why options do not go together; an empty text where they do.
    check : callable
        Raises EngineError where the engine cannot run here.
    versions : callable
        Gives the versions of the packages that compute the numbers, by name.
    """

    function: FitFunction
    finite_variance: Callable[..., bool] = always_finite
    refusal: Callable[..., str] = no_refusal
    check: Callable[[], None] = no_check
    versions: Callable[[], dict[str, str]] = numpy_versions


REGISTERED: dict[str, dict[str, Registered]] = {}
"""Strategy -> engine -> how that engine computes it."""


def strategy(
    name: str,
    *,
    engine: str = DEFAULT_ENGINE,
    finite_variance: Callable[..., bool] = always_finite,
    refusal: Callable[..., str] = no_refusal,
    check: Callable[[], None] = no_check,
    versions: Callable[[], dict[str, str]] = numpy_versions,
) -> Callable[[FitFunction], FitFunction]:
    """Register a function as a strategy, or as one more engine of a strategy.

    Parameters
    ----------
    name, engine : str
        What a config calls the strategy and the engine.
    finite_variance, refusal, check, versions : callable
        As in `Registered`.

    Returns
    -------
    callable
        A decorator that leaves the function as it is.
    """

    def register(function: FitFunction) -> FitFunction:
        entry = Registered(function, finite_variance, refusal, check, versions)
        REGISTERED.setdefault(name, {})[engine] = entry
        return function

    return register

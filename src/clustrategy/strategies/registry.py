"""The registry: a strategy is a name, an engine a way to compute it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from clustrategy.core.errors import ConfigError
from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.sources import Home
from clustrategy.strategies.signature import defined_in, unfit

FitFunction = Callable[..., Fits]
"""`fit(shard, *, option=default, ...) -> Fits`; the options are keyword-only arguments.

A function that resamples has `nulls=None` after the shard, which is no option: see `Registered`.
"""

JointFunction = Callable[..., JointTests]
"""`joint(shard, groups, *, option, ...) -> JointTests`; the options are those of the fit.

`groups` are arrays of different columns of X, none of them empty.
"""

DEFAULT_ENGINE = "numpy"


def always_finite(rows: int, slopes: int, **options: object) -> bool:
    """Return True: the estimates have a finite variance whatever the data."""
    return True


def always(**options: object) -> bool:
    """Return True, whatever the options."""
    return True


def never(**options: object) -> bool:
    """Return False, whatever the options."""
    return False


def no_refusal(**options: object) -> str:
    """Return no reason against any options."""
    return ""


def suits_all(terms: Sequence[str], **options: object) -> str:
    """Return no reason against any model."""
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
    unsuited : callable
        `unsuited(terms, **options)` says why options do not suit a model with coefficients of
        these names; an empty text where they do.
    check : callable
        Raises EngineError where the engine cannot run here.
    versions : callable
        Gives the versions of the packages that compute the numbers, by name.
    resamples : callable
        `resamples(**options)` tells whether tests go by resampling, by the generators of the shard
        (`Shard.generator`). Where they do, the function takes `nulls` after the shard, None or
        (S, p, K) null values of each coefficient, and tests them, too, into `Fits.p_nulls`. Of all
        other strategies such tests follow from estimate, standard error and df.
    equivariant : bool or callable
        Whether adding X delta to the response adds delta to the estimates and changes nothing else
        but rounding: not the standard errors, df and status, nor the p-values of null values that
        move along. Draws that resample must not depend on the response, then. A study of one
        truth, and of one effect, so tells of all others. Where that depends on the options,
        `equivariant(**options)` tells.
    joint : callable, optional
        `joint(shard, groups, **options)` tests groups of coefficients. Of one coefficient it gives
        the square of the strategy's own statistic, its df and its p-value.
    own_file : Path, optional
        The file of the user's own that registers it.
    home : callable, optional
        Where the modules beside that file are, which count as its code, as `sources` takes it.
    """

    function: FitFunction
    finite_variance: Callable[..., bool] = always_finite
    refusal: Callable[..., str] = no_refusal
    unsuited: Callable[..., str] = suits_all
    check: Callable[[], None] = no_check
    versions: Callable[[], dict[str, str]] = numpy_versions
    resamples: Callable[..., bool] = never
    equivariant: bool | Callable[..., bool] = False
    joint: JointFunction | None = None
    own_file: Path | None = None
    home: Home | None = None


REGISTERED: dict[str, dict[str, Registered]] = {}
"""Strategy -> engine -> how that engine computes it."""


def strategy(
    name: str,
    *,
    engine: str = DEFAULT_ENGINE,
    finite_variance: Callable[..., bool] = always_finite,
    refusal: Callable[..., str] = no_refusal,
    unsuited: Callable[..., str] = suits_all,
    check: Callable[[], None] = no_check,
    versions: Callable[[], dict[str, str]] = numpy_versions,
    resamples: Callable[..., bool] = never,
    equivariant: bool | Callable[..., bool] = False,
    joint: JointFunction | None = None,
) -> Callable[[FitFunction], FitFunction]:
    """Register a function as a strategy, or as one more engine of a strategy.

    Parameters
    ----------
    name, engine : str
        What a config calls the strategy and the engine.
    finite_variance, refusal, unsuited, check, versions, resamples : callable
        As in `Registered`.
    equivariant : bool or callable
        As in `Registered`.
    joint : callable, optional
        As in `Registered`.

    Returns
    -------
    callable
        A decorator that leaves the function as it is.

    Raises
    ------
    ConfigError
        If the function cannot be a strategy, or there is one of that name and engine. In a
        notebook, or at a prompt, a function may be defined anew.
    """
    for what, text in (("name", name), ("engine", engine)):
        if not (isinstance(text, str) and text.strip() and text.isprintable()):
            raise ConfigError(
                f'@strategy takes the {what} as text, as in @strategy("between"), found '
                f"{text!r:.60}"
            )
    calls = {
        "finite_variance": finite_variance,
        "refusal": refusal,
        "unsuited": unsuited,
        "check": check,
        "versions": versions,
        "resamples": resamples,
        "joint": joint or never,
    }
    for what, call in calls.items():
        if not callable(call):
            raise ConfigError(f"strategy {name!r}: {what} must be a function, found {call!r:.60}")

    def register(function: FitFunction) -> FitFunction:
        if reason := unfit(function, resamples=resamples is not never):
            raise ConfigError(f"strategy {name!r}: {reason}")
        known = REGISTERED.get(name, {}).get(engine)
        if known is not None and not _is_typed_anew(known.function, function):
            raise ConfigError(
                f"strategy {name!r} has the engine {engine!r} already, by "
                f"{defined_in(known.function)}; the one by {defined_in(function)} needs another "
                "name or engine"
            )
        entry = Registered(
            function,
            finite_variance,
            refusal,
            unsuited,
            check,
            versions,
            resamples,
            equivariant,
            joint,
        )
        REGISTERED.setdefault(name, {})[engine] = entry
        return function

    return register


def _is_typed_anew(known: FitFunction, function: FitFunction) -> bool:
    return known.__module__ == function.__module__ == "__main__"


Key = tuple[str, str]
"""The names of a strategy and an engine."""


@contextmanager
def registered_meanwhile() -> Iterator[list[Key]]:
    """Give a list that is filled with what is registered; if that fails, it is taken back."""
    before = _keys()
    found: list[Key] = []
    try:
        yield found
    except BaseException:
        forget(_keys() - before)
        raise
    found += sorted(_keys() - before)


def _keys() -> set[Key]:
    return {(name, engine) for name, engines in REGISTERED.items() for engine in engines}


def forget(keys: Iterable[Key]) -> None:
    """Take strategies out of the registry, if they are there."""
    for name, engine in keys:
        REGISTERED.get(name, {}).pop(engine, None)
        if not REGISTERED.get(name, True):
            del REGISTERED[name]

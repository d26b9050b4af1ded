"""The registry: a strategy is a name, an engine a way to compute it.

A module of `clustrategy.strategies` or `clustrategy.engines` registers functions
`fit(shard, *, option=default, ...) -> Fits` with the decorator `strategy`; the options of a
strategy in the config are the function's keyword-only arguments. Of a strategy's engines
`DEFAULT_ENGINE`, else the first by name, is its default.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import numpy as np

from clustrategy.core.errors import ConfigError, nearest
from clustrategy.core.fits import Fits, fit_each, one_line
from clustrategy.core.shard import Shard
from clustrategy.core.sources import PACKAGE, sources

FitFunction = Callable[..., Fits]


class Registered(NamedTuple):
    """A strategy as one engine computes it, and the name of the module that does.

    `finite_variance(rows, slopes, **options)` tells whether the estimates of a strategy have a
    finite variance with so many rows in the smallest cluster; without it they always have.
    `refusal(**options)` says why options do not go together, nothing where they do.
    """

    function: FitFunction
    module: str
    finite_variance: Callable[..., bool] | None = None
    refusal: Callable[..., str] | None = None


_PACKAGES = ("clustrategy.strategies", "clustrategy.engines")
DEFAULT_ENGINE = "numpy"
_registry: dict[str, dict[str, Registered]] = {}


def strategy(
    name: str,
    *,
    engine: str = "numpy",
    module: str | None = None,
    finite_variance: Callable[..., bool] | None = None,
    refusal: Callable[..., str] | None = None,
) -> Callable[[FitFunction], FitFunction]:
    """Register a function as a strategy, or as one more engine of a strategy.

    Parameters
    ----------
    name, engine : what the config calls them.
    module : the module that computes it, where that is not the function's own.
    finite_variance, refusal : as in `Registered`; the former, of the default engine, holds for all.
    """

    def register(function: FitFunction) -> FitFunction:
        home = module or function.__module__
        entry = Registered(function, home, finite_variance, refusal)
        _registry.setdefault(name, {})[engine] = entry
        return function

    return register


@cache
def registry() -> dict[str, dict[str, Registered]]:
    """All strategies: name -> engine -> function, the default engine first."""
    for package in _PACKAGES:
        path = importlib.import_module(package).__path__
        for module in sorted(m.name for m in pkgutil.iter_modules(path)):
            importlib.import_module(f"{package}.{module}")
    return {name: dict(sorted(_registry[name].items(), key=_rank)) for name in sorted(_registry)}


def _rank(item: tuple[str, Registered]) -> tuple[bool, str]:
    return item[0] != DEFAULT_ENGINE, item[0]


@dataclass(frozen=True)
class Strategy:
    """An entry of `strategies:`: which strategy, by which engine, with which options.

    Attributes
    ----------
    label : the entry's name in tables and figures.
    name, engine : keys of the registry.
    options : keyword arguments of the function.
    """

    label: str
    name: str
    engine: str
    options: Mapping[str, Any]

    @classmethod
    def parse(cls, entry: str | Mapping[str, Any], engine: str | None = None) -> Strategy:
        """Read an entry: a name, or a mapping with `strategy`, `name`, `engine` and options.

        Parameters
        ----------
        entry : the entry as it stands in the config or in a call of `analyze`.
        engine : the engine where the entry names none and the strategy has it.

        Raises
        ------
        ConfigError : for an unknown strategy, engine, option or option value.
        """
        fields = {"strategy": entry} if isinstance(entry, str) else dict(entry)
        known = registry()
        if "strategy" not in fields:
            raise ConfigError(f"a strategy entry needs the key 'strategy', found {entry!r}")
        for key in ("strategy", "name", "engine"):
            if not isinstance(fields.get(key, ""), str):
                raise ConfigError(
                    f"{key!r} of a strategy entry must be text, found {fields[key]!r}"
                )
            if not fields.get(key, "some").isprintable() or not fields.get(key, "some").strip():
                raise ConfigError(
                    f"{key!r} of a strategy entry must be a line of text, found {fields[key]!r}"
                )
        name = fields.pop("strategy")
        if name not in known:
            raise ConfigError(
                f"unknown strategy {name!r}{nearest(name, list(known))}; "
                f"known are {', '.join(sorted(known))}"
            )
        engines = known[name]
        label = fields.pop("name", name)
        chosen = fields.pop("engine", None)
        if chosen is None:
            chosen = engine if engine in engines else next(iter(engines))
        if chosen not in engines:
            raise ConfigError(
                f"strategy {name!r} has no engine {chosen!r}{nearest(chosen, list(engines))}; "
                f"it has {', '.join(engines)}"
            )
        by = "" if chosen == next(iter(engines)) else f" with engine {chosen!r}"
        _check_options(f"{name!r}{by}", engines[chosen].function, fields)
        refusal = engines[chosen].refusal
        if refusal is not None and (reason := refusal(**fields)):
            raise ConfigError(f"strategy {name!r}: {reason}")
        return cls(label, name, chosen, dict(sorted(fields.items())))

    @property
    def _function(self) -> FitFunction:
        return registry()[self.name][self.engine].function

    @property
    def _module(self) -> ModuleType:
        return sys.modules[registry()[self.name][self.engine].module]

    def finite_variance(self, rows: int, slopes: int) -> bool:
        """Whether its estimates have a finite variance.

        Parameters
        ----------
        rows : of the smallest cluster.
        slopes : the coefficients of predictors that vary within clusters.
        """
        known = next(iter(registry()[self.name].values())).finite_variance
        return known is None or known(rows, slopes, **self.options)

    @property
    def spec(self) -> dict[str, Any]:
        """The entry in full, as plain values: what `parse` reads back."""
        return {
            "strategy": self.name,
            "name": self.label,
            "engine": self.engine,
            **self.options,
        }

    @property
    def brief(self) -> dict[str, Any]:
        """The entry without the options that are as they would be anyhow."""
        parameters = inspect.signature(self._function).parameters
        chosen = {k: v for k, v in self.options.items() if v != parameters[k].default}
        return {"strategy": self.name, "name": self.label, "engine": self.engine, **chosen}

    @property
    def code(self) -> list[Path]:
        """The source files that this strategy's rows come from, from fit to table."""
        return sources(Path(str(self._module.__file__)), PACKAGE / "tables/estimates.py")

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the packages that compute the numbers."""
        versions: Callable[[], dict[str, str]] = getattr(
            self._module, "versions", lambda: {"numpy": version("numpy"), "scipy": version("scipy")}
        )
        return versions()

    @cached_property
    def digest(self) -> str:
        """Changes with whatever this strategy's rows on the same data come from."""
        known = hashlib.sha256()
        spec = {key: value for key, value in self.spec.items() if key != "name"}
        known.update(json.dumps([spec, self.versions], sort_keys=True).encode())
        for file in self.code:
            known.update(file.read_bytes())
        return known.hexdigest()

    def check(self) -> None:
        """Raise EngineError where the engine cannot run here."""
        getattr(self._module, "check", lambda: None)()

    def fit(self, shard: Shard) -> Fits:
        """Fit every dataset of a shard; whatever a fit throws becomes its row's status."""
        status, message = "undefined", "the data hold values that are not finite"
        if shard.finite.all():
            try:
                return self._function(shard, **self.options)
            except Exception as error:
                status, message = "error", one_line(error) or type(error).__name__
        if shard.sims > 1:
            return Fits.concatenate([self.fit(shard.dataset(sim)) for sim in range(shard.sims)])
        failed = Fits.blank(1, shard.p)
        failed.fail(np.array([True]), status, message)
        return failed


def _check_options(who: str, function: FitFunction, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(function).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    hints = get_type_hints(function)
    for option, value in options.items():
        if option not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise ConfigError(
                f"strategy {who} has no option {option!r}{nearest(option, known)}; {takes}"
            )
        hint = hints.get(option)
        choices = list(get_args(hint)) if get_origin(hint) is Literal else None
        if choices is not None and value not in choices:
            words = [str(choice) for choice in choices]
            raise ConfigError(
                f"strategy {who}: {option} must be one of {', '.join(words)}, "
                f"found {value!r}{nearest(value, words)}"
            )
        if hint in (bool, int, float, str) and not _is(value, hint):
            raise ConfigError(f"strategy {who}: {option} must be {_KINDS[hint]}, found {value!r}")


_KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}


def _is(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


__all__ = ["Fits", "Registered", "Shard", "Strategy", "fit_each", "registry", "strategy"]

"""The registry: a strategy is a name, an engine a way to compute it.

A module of `clustrategy.strategies` or `clustrategy.engines` registers functions
`fit(shard, *, option=default, ...) -> Fits` with the decorator `strategy`; the options of a
strategy in the config are the function's keyword-only arguments. The engine registered first
for a strategy is its default.
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
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from clustrategy.dataset import Shard
from clustrategy.errors import ConfigError
from clustrategy.fits import Fits, fit_each, one_line

FitFunction = Callable[..., Fits]

_PACKAGES = ("clustrategy.strategies", "clustrategy.engines")
_registry: dict[str, dict[str, FitFunction]] = {}


def strategy(name: str, *, engine: str = "numpy") -> Callable[[FitFunction], FitFunction]:
    """Register a function as a strategy, or as one more engine of a strategy."""

    def register(function: FitFunction) -> FitFunction:
        _registry.setdefault(name, {})[engine] = function
        return function

    return register


@cache
def registry() -> dict[str, dict[str, FitFunction]]:
    """All strategies: name -> engine -> function."""
    for package in _PACKAGES:
        path = importlib.import_module(package).__path__
        for module in sorted(m.name for m in pkgutil.iter_modules(path)):
            importlib.import_module(f"{package}.{module}")
    return _registry


def nearest(word: str, known: list[str]) -> str:
    """' (did you mean ...?)', or nothing where no known word is near."""
    match = get_close_matches(str(word), known, n=1, cutoff=0.5)
    return f" (did you mean {match[0]!r}?)" if match else ""


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
        name = fields.pop("strategy", None)
        known = registry()
        if name is None:
            raise ConfigError(f"a strategy entry needs the key 'strategy', found {entry!r}")
        if name not in known:
            raise ConfigError(
                f"unknown strategy {name!r}{nearest(name, list(known))}; "
                f"known are {', '.join(sorted(known))}"
            )
        engines = known[name]
        label = str(fields.pop("name", name))
        chosen = fields.pop("engine", None)
        if chosen is None:
            chosen = engine if engine in engines else next(iter(engines))
        if chosen not in engines:
            raise ConfigError(
                f"strategy {name!r} has no engine {chosen!r}{nearest(chosen, list(engines))}; "
                f"it has {', '.join(engines)}"
            )
        _check_options(name, engines[chosen], fields)
        return cls(label, name, chosen, dict(sorted(fields.items())))

    @property
    def _function(self) -> FitFunction:
        return registry()[self.name][self.engine]

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
    def code(self) -> list[Path]:
        """The source files that the numbers of this strategy come from."""
        return sorted(_sources(sys.modules[self._function.__module__]))

    @cached_property
    def digest(self) -> str:
        """Changes when, and only when, this strategy's numbers on the same data may."""
        known = hashlib.sha256()
        spec = {key: value for key, value in self.spec.items() if key != "name"}
        known.update(json.dumps(spec, sort_keys=True).encode())
        for file in self.code:
            known.update(file.read_bytes())
        return known.hexdigest()

    def check(self) -> None:
        """Raise EngineError where the engine cannot run here."""
        module = inspect.getmodule(self._function)
        getattr(module, "check", lambda: None)()

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


def _sources(module: ModuleType) -> set[Path]:
    """The file of a module, and those of what it imports from the package (not this registry)."""
    found = {Path(str(module.__file__))}
    for value in vars(module).values():
        origin = value.__name__ if isinstance(value, ModuleType) else _home(value)
        if origin.startswith("clustrategy.") and origin not in (module.__name__, __name__):
            found |= _sources(sys.modules[origin])
    return found


def _home(value: object) -> str:
    return getattr(value, "__module__", None) or ""


def _check_options(name: str, function: FitFunction, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(function).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    hints = get_type_hints(function)
    for option, value in options.items():
        if option not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise ConfigError(
                f"strategy {name!r} has no option {option!r}{nearest(option, known)}; {takes}"
            )
        hint = hints[option]
        if get_origin(hint) is Literal and value not in get_args(hint):
            choices = [str(choice) for choice in get_args(hint)]
            raise ConfigError(
                f"strategy {name!r}: {option} must be one of {', '.join(choices)}, "
                f"found {value!r}{nearest(value, choices)}"
            )


__all__ = ["Fits", "Shard", "Strategy", "fit_each", "nearest", "registry", "strategy"]

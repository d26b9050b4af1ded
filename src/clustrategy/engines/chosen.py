"""A strategy as an entry of a config chooses it: name, engine and options."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from clustrategy.core.errors import ClustrategyError, ConfigError, in_words, nearest
from clustrategy.core.fits import Fits, one_line
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.core.sources import PACKAGE, Home, code_digest, nowhere, sources
from clustrategy.core.validation import shown
from clustrategy.strategies.installed import load_installed
from clustrategy.strategies.own_files import SHARED
from clustrategy.strategies.registry import DEFAULT_ENGINE, REGISTERED, FitFunction, Registered
from clustrategy.strategies.signature import defined_in, source_file

NOT_FINITE = "the data hold values that are not finite"
OUT_OF_RANGE = "the numbers of a column are so large or small that products lose digits: rescale it"
NO_JOINT_TEST = "the strategy has no joint test"
NO_COEFFICIENTS = "the group has no coefficients"
TWICE = "the group names a coefficient twice"

Found = TypeVar("Found")


_COMMON = [PACKAGE / file for file in ("core/fits.py", "core/shard.py", "strategies/registry.py")]
"""What any strategy computes with that imports its names from `SHARED`."""


def registry() -> dict[str, dict[str, Registered]]:
    """Return all strategies with all their engines, as far as they are loaded.

    Returns
    -------
    dict
        Strategy -> engine -> entry, by name, but the default engine first: `DEFAULT_ENGINE` where
        the strategy has it.
    """
    return {name: dict(sorted(REGISTERED[name].items(), key=_rank)) for name in sorted(REGISTERED)}


def _rank(item: tuple[str, Registered]) -> tuple[bool, str]:
    return item[0] != DEFAULT_ENGINE, item[0]


@dataclass(frozen=True)
class Strategy:
    """An entry of `strategies:`: which strategy, by which engine, with which options.

    Attributes
    ----------
    label : str
        The entry's name in tables and figures.
    name, engine : str
        Keys of the registry.
    options : mapping
        Keyword arguments of the registered function.
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
        entry : str or mapping
            The entry as it stands in a config or in a call of `analyze`.
        engine : str, optional
            The engine where the entry names none and the strategy has this one.

        Returns
        -------
        Strategy

        Raises
        ------
        ConfigError
            For an unknown strategy, engine, option or option value.
        """
        fields = {"strategy": entry} if isinstance(entry, str) else dict(entry)
        if "strategy" not in fields:
            raise ConfigError(f"a strategy entry needs the key 'strategy', found {shown(entry)}")
        for key in ("strategy", "name", "engine"):
            if not isinstance(fields.get(key, ""), str):
                raise ConfigError(
                    f"{key!r} of a strategy entry must be text, found {shown(fields[key])}"
                )
            if not fields.get(key, "some").isprintable() or not fields.get(key, "some").strip():
                raise ConfigError(
                    f"{key!r} of a strategy entry must be a line of text, "
                    f"found {shown(fields[key])}"
                )
        name = fields.pop("strategy")
        label = fields.pop("name", name)
        chosen = fields.pop("engine", None)
        engines = _engines(name, chosen)
        if chosen is None:
            chosen = engine if engine in engines else next(iter(engines))
        by = "" if chosen == next(iter(engines)) else f" with engine {chosen!r}"
        _check_options(f"{name!r}{by}", engines[chosen].function, fields)
        fields = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        found = cls(label, name, chosen, dict(sorted(fields.items())))
        # A strategy stays what it is, whatever is registered later.
        found.__dict__["engines"] = engines
        if reason := found._ask("refusal", **fields):
            raise ConfigError(f"strategy {name!r}: {reason}")
        return found

    @cached_property
    def engines(self) -> Mapping[str, Registered]:
        """The engines of the strategy, the default one first."""
        return registry()[self.name]

    def _ask(self, what: str, *arguments: object, **options: Any) -> Any:
        """Call what is registered beside the function."""
        entry = next(iter(self.engines.values())) if what == "finite_variance" else self._entry
        try:
            return getattr(entry, what)(*arguments, **options)
        except ClustrategyError:
            raise
        except Exception as error:
            raise ConfigError(
                f"strategy {self.name!r}: its {what} fails ({in_words(error)})"
            ) from None

    @property
    def _entry(self) -> Registered:
        return self.engines[self.engine]

    @property
    def _is_foreign(self) -> bool:
        """Whether the function is none of this package's."""
        return self.function.__module__.partition(".")[0] != PACKAGE.name

    @property
    def function(self) -> FitFunction:
        """The registered function, which fits a shard."""
        return self._entry.function

    def finite_variance(self, rows: int, slopes: int) -> bool:
        """Tell whether the estimates have a finite variance.

        Parameters
        ----------
        rows : int
            Rows of the smallest cluster.
        slopes : int
            Coefficients of predictors that vary within clusters.

        Returns
        -------
        bool
        """
        return bool(self._ask("finite_variance", rows, slopes, **self.options))

    @property
    def resamples(self) -> bool:
        """Whether its tests go by resampling, so that it computes those of null values itself."""
        return bool(self._ask("resamples", **self.options))

    @property
    def equivariant(self) -> bool:
        """Whether it depends on the coefficients by a shift alone, as `Registered` has it."""
        known = self._entry.equivariant
        return bool(self._ask("equivariant", **self.options)) if callable(known) else known

    @property
    def spec(self) -> dict[str, Any]:
        """The entry in full, as plain values: what `parse` reads back."""
        return {
            "strategy": self.name,
            "name": self.label,
            "engine": self.engine,
            **_plain(self.options),
        }

    @property
    def brief(self) -> dict[str, Any]:
        """The entry without the options that have their default values."""
        parameters = inspect.signature(self._entry.function).parameters
        chosen = {k: v for k, v in self.options.items() if v != parameters[k].default}
        return {"strategy": self.name, "name": self.label, "engine": self.engine, **_plain(chosen)}

    @property
    def code(self) -> list[Path]:
        """The source files that compute the fits: the function's own and all that it imports.

        Raises
        ------
        ConfigError
            If the function is in no file.
        """
        file = source_file(self.function)
        if file is None:
            raise ConfigError(
                f"strategy {self.name!r} is in a notebook or was typed at a prompt: for a study, "
                "write it into a file and name that under 'strategies_from'"
            )
        if file.is_relative_to(PACKAGE):
            return sources(file)
        home = self._entry.home or _home(self.function)
        files = [file, self._entry.own_file or file, *_COMMON]
        found = sources(*files, but=[SHARED], home=home)
        # Wherever the file is, the order is the same.
        return sorted(found, key=lambda one: one.is_relative_to(PACKAGE))

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the packages that compute the numbers."""
        return dict(self._ask("versions"))

    @cached_property
    def digest(self) -> str:
        """A digest that changes with whatever the fits to the same data come from."""
        known = hashlib.sha256()
        spec = {key: value for key, value in self.spec.items() if key != "name"}
        known.update(json.dumps([spec, self.versions], sort_keys=True).encode())
        known.update(code_digest([*self.code, Path(__file__)]).encode())
        return known.hexdigest()

    def check(self) -> None:
        """Check that the engine can run here.

        Raises
        ------
        EngineError
            Where it cannot.
        """
        self._ask("check")

    def check_terms(self, terms: Sequence[str]) -> None:
        """Check that the options suit a model.

        Parameters
        ----------
        terms : sequence of str
            The names of the model's coefficients.

        Raises
        ------
        ConfigError
            Where they do not.
        """
        if reason := self._ask("unsuited", terms, **self.options):
            raise ConfigError(f"strategy {self.label!r}: {reason}")

    def fit(self, shard: Shard, nulls: Floats | None = None) -> Fits:
        """Fit every dataset of a shard; whatever a fit throws becomes its row's status.

        Parameters
        ----------
        shard : Shard
            Datasets, also some with values that are not finite.
        nulls : (S, p, K) array, optional
            Finite null values to test each coefficient against, besides 0: what strategies that
            resample put into `Fits.p_nulls`. The others leave them alone.

        Returns
        -------
        Fits
        """
        further = (nulls,) if self.resamples and nulls is not None else ()

        def fits() -> Fits:
            with _unwritable(shard) if self._is_foreign else nullcontext():
                found = self.function(shard, *further, **self.options)
            _check_shape(found, shard, further)
            found.check()
            return found

        found = _attempt(shard, fits)
        if not isinstance(found, _Failure):
            return found
        if shard.sims > 1:
            own = [None if nulls is None else nulls[[sim]] for sim in range(shard.sims)]
            return Fits.concatenate([self.fit(shard.dataset(s), own[s]) for s in range(shard.sims)])
        failed = Fits.blank(1, shard.p, nulls=sum(one.shape[2] for one in further))
        failed.fail(np.array([True]), found.status, found.message)
        return failed

    def joint_tests(self, shard: Shard, groups: Sequence[Ints]) -> JointTests:
        """Test groups of coefficients, such as all of a factor, in every dataset of a shard.

        Parameters
        ----------
        shard : Shard
            Datasets, also some with values that are not finite.
        groups : sequence of (q,) array of int
            The columns of X of each group.

        Returns
        -------
        JointTests
            Without a number, but with a message, where the strategy has no joint test, where the
            fit is unusable, and where a group is empty or has a coefficient that the strategy does
            not test.

        Raises
        ------
        ValueError
            For a column that X does not have.
        """
        groups = [np.asarray(group, dtype=np.int64) for group in groups]
        for group in groups:
            if ((group < 0) | (group >= shard.p)).any():
                raise ValueError(f"columns must be between 0 and {shard.p - 1}, found {group}")
        tests = JointTests.blank(shard.sims, groups)
        everywhere, sound = np.ones(shard.sims, dtype=bool), []
        for place, group in enumerate(groups):
            if self._entry.joint is None:
                tests.fail(place, everywhere, NO_JOINT_TEST)
            elif group.size == 0:
                tests.fail(place, everywhere, NO_COEFFICIENTS)
            elif np.unique(group).size < group.size:
                tests.fail(place, everywhere, TWICE)
            else:
                sound.append(place)
        if sound:
            found = self._joint_tests(shard, [groups[place] for place in sound])
            tests.put(np.arange(shard.sims), found, sound)
        return tests

    def _joint_tests(self, shard: Shard, groups: list[Ints]) -> JointTests:
        assert self._entry.joint is not None
        joint = self._entry.joint

        def tests() -> JointTests:
            with _unwritable(shard) if self._is_foreign else nullcontext():
                found = joint(shard, groups, **self.options)
            _check_joint(found, shard, groups)
            return found

        found = _attempt(shard, tests)
        if not isinstance(found, _Failure):
            return found
        if shard.sims > 1:
            each = [self._joint_tests(shard.dataset(sim), groups) for sim in range(shard.sims)]
            return JointTests.concatenate(each)
        failed = JointTests.blank(1, groups)
        for place in range(len(groups)):
            failed.fail(place, np.array([True]), found.message)
        return failed


class _Failure(NamedTuple):
    """What became of a shard, or of a dataset of it, that a strategy cannot take."""

    status: str
    message: str


def _attempt(shard: Shard, compute: Callable[[], Found]) -> Found | _Failure:
    """Compute something of a shard whose numbers are fit for it; what it throws is a failure."""
    if not shard.finite.all():
        return _Failure("undefined", NOT_FINITE)
    if not shard.in_range.all():
        return _Failure("undefined", OUT_OF_RANGE)
    try:
        return compute()
    except Exception as error:
        return _Failure("error", one_line(error) or type(error).__name__)


@contextmanager
def _unwritable(shard: Shard) -> Iterator[None]:
    """Keep the data as they are: other strategies are fitted to the same arrays."""
    arrays = [part for part in (shard.y, shard.X, shard.n) if part.flags.writeable]
    for part in arrays:
        part.flags.writeable = False
    try:
        yield
    finally:
        for part in arrays:
            part.flags.writeable = True


def _home(function: FitFunction) -> Home:
    """Take the whole top-level package of a function, installed or imported, for its own code."""
    top = function.__module__.partition(".")[0]
    folders = [*map(Path, getattr(sys.modules.get(top), "__path__", []))]
    return {top: folders[0]}.get if folders else nowhere


def _engines(name: str, engine: str | None) -> dict[str, Registered]:
    """Find the engines of a strategy, among installed ones, too, if the rest has no such thing."""
    known, problems = registry(), []
    if engine not in {None, *known.get(name, ())} or name not in known:
        problems = [f"; {said}" for said in load_installed()]
        known = registry()
    if name not in known:
        raise ConfigError(
            f"unknown strategy {shown(name)}{nearest(name, list(known))}; "
            f"known are {', '.join(sorted(known))}{''.join(problems)}"
        )
    engines = known[name]
    if engine not in {None, *engines}:
        raise ConfigError(
            f"strategy {name!r} has no engine {shown(engine)}{nearest(engine, list(engines))}; "
            f"it has {', '.join(engines)}{''.join(problems)}"
        )
    return engines


def parse_all(
    entries: Iterable[str | Mapping[str, Any]], engine: str | None = None
) -> list[Strategy]:
    """Read entries, each under a label of its own.

    Parameters
    ----------
    entries : iterable of str or mapping
        As `Strategy.parse` takes them.
    engine : str, optional
        The engine where an entry names none and its strategy has this one.

    Returns
    -------
    list of Strategy

    Raises
    ------
    ConfigError
        As `Strategy.parse`, and where two entries have one label.
    """
    strategies = [Strategy.parse(entry, engine) for entry in entries]
    labels = [strategy.label for strategy in strategies]
    for label in labels:
        if labels.count(label) > 1:
            raise ConfigError(f"two entries are called {label!r}; give each its own 'name'")
    return strategies


def _check_shape(fits: object, shard: Shard, nulls: Sequence[Floats]) -> None:
    """Refuse what is not a row for each dataset and a column for each coefficient."""
    if not isinstance(fits, Fits):
        raise TypeError(f"the strategy's function must return Fits, found {type(fits).__name__}")
    shapes = (shard.sims, shard.p), (shard.sims, shard.p, sum(one.shape[2] for one in nulls))
    for numbers, shape in zip((fits.estimate, fits.p_nulls), shapes, strict=True):
        if numbers.shape != shape:
            raise TypeError(
                f"the strategy's function must return numbers of the shape {shape}, "
                f"found {numbers.shape}"
            )


def _check_joint(tests: object, shard: Shard, groups: Sequence[Ints]) -> None:
    """Refuse what is not a row for each dataset and a column for each group."""
    if not isinstance(tests, JointTests):
        raise TypeError(f"joint tests must be JointTests, found {type(tests).__name__}")
    shape = shard.sims, len(groups)
    if tests.p_value.shape != shape:
        raise TypeError(f"joint tests must be of the shape {shape}, found {tests.p_value.shape}")


def _check_options(who: str, function: FitFunction, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(function).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    try:
        hints = get_type_hints(function)
    except Exception as error:
        raise ConfigError(
            f"strategy {who}: the annotations of {defined_in(function)} cannot be read "
            f"({in_words(error)})"
        ) from None
    for option, value in options.items():
        if option not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise ConfigError(
                f"strategy {who} has no option {shown(option)}{nearest(option, known)}; {takes}"
            )
        hint = hints.get(option)
        choices = list(get_args(hint)) if get_origin(hint) is Literal else None
        if choices is not None and value not in choices:
            words = [str(choice) for choice in choices]
            raise ConfigError(
                f"strategy {who}: {option} must be one of {', '.join(words)}, "
                f"found {shown(value)}{nearest(value, words)}"
            )
        if hint == tuple[str, ...] and not _is_texts(value):
            raise ConfigError(
                f"strategy {who}: {option} must be a list of names, at least one, "
                f"found {shown(value)}"
            )
        if hint in (bool, int, float, str) and not _is(value, hint):
            raise ConfigError(
                f"strategy {who}: {option} must be {_KINDS[hint]}, found {shown(value)}"
            )


_KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}


def _is_texts(value: object) -> bool:
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(isinstance(one, str) for one in value)


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as JSON and YAML write them."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in options.items()}


def _is(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)

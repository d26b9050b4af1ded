"""The effects at which a study gives power, and the one of them at which it is compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clustrategy.calibration.given_data import GivenData
from clustrategy.core.cells import format_level
from clustrategy.core.errors import ConfigError, nearest
from clustrategy.dgp.oracle import ORACLE_POWER, is_by_oracle
from clustrategy.study import config as configuration

EFFECTS = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0)
EFFECT = 0.5
"""Of a grid, unless given."""

ORACLE_EFFECT = 0.8
"""Of an oracle's powers, unless given."""

BEYOND_REASON = 100.0
"""Standard deviations of the response that an effect may make of one of its predictor."""


def resolve_effects(
    settings: dict[str, Any], alpha: float, given: GivenData | None, files: Sequence[str]
) -> None:
    """Fill in `effects` and `effect`.

    Of a grid they are a list and a number, or powers of an oracle and one of these. On a given
    design they are those of each term, as many of each: its own where they are named; else
    multiples of its standard error.

    Parameters
    ----------
    settings : dict
        The section `verdict` of a config, which is changed.
    alpha : float
        The level of the tests.
    given : GivenData, optional
        The given design.
    files : sequence of str
        Where the config was read from, for messages.

    Raises
    ------
    ConfigError
        Where they do not go together with each other or with the design.
    """
    named, compared = settings["effects"], settings["effect"]
    if given is None:
        by_oracle = is_by_oracle(named)
        if isinstance(named, Mapping) and not by_oracle:
            raise _refusal(
                "effects", "must be a list of numbers: a mapping needs a table ('data')", files
            )
        if isinstance(compared, Mapping):
            problem = "must be a number: a mapping needs a table ('data')"
            raise _refusal("effect", problem, files)
        listed = named[ORACLE_POWER] if by_oracle else EFFECTS if named is None else named
        effects = [*map(float, listed)]
        usual = ORACLE_EFFECT if by_oracle else EFFECT
        effect = usual if compared is None else float(compared)
        known = ", ".join(map(format_level, effects))
        if effect not in effects:
            problem = f"must be one of the effects, {known}, found {effect:g}"
            raise _refusal("effect", problem, files)
        if by_oracle and min(effects) <= alpha:
            problem = f"must be above the level of the tests, {alpha:g}, found {min(effects):g}"
            raise _refusal(f"effects.{ORACLE_POWER}", problem, files)
        settings |= {"effects": {ORACLE_POWER: effects} if by_oracle else effects, "effect": effect}
        return
    if isinstance(named, Mapping) and ORACLE_POWER in {*named} - {*given.shard.terms}:
        problem = f"by {ORACLE_POWER} need a grid: of a table ('data') the variances are not known"
        raise _refusal("effects", problem, files)
    of_terms = _of_terms(named, given, files)
    if named is not None and of_terms != given.default_effects():
        _check_reason(of_terms, given, files)
    if compared is None or isinstance(compared, Mapping):
        of_each = _compared(compared or {}, of_terms, files)
        settings |= {"effects": of_terms, "effect": given.compared(of_terms) | of_each}
        return
    effect = float(compared)
    if named is None:
        of_terms = {term: [*listed, effect] for term, listed in of_terms.items()}
    elif isinstance(named, Mapping) or effect not in next(iter(of_terms.values())):
        problem = "must be one of the effects, which are the same for all terms"
        raise _refusal("effect", f"{problem}, found {effect:g}", files)
    settings |= {"effects": of_terms, "effect": dict.fromkeys(of_terms, effect)}


def _of_terms(
    named: Sequence[float] | Mapping[str, Sequence[float]] | None,
    given: GivenData,
    files: Sequence[str],
) -> dict[str, list[float]]:
    """Return the effects of each term, as many of each."""
    terms = given.shard.terms
    if named is None:
        return given.default_effects()
    if not isinstance(named, Mapping):
        return {term: [*map(float, named)] for term in terms}
    for term in named:
        if term not in terms:
            raise _unknown("effects", term, terms, files)
    counts = sorted({len(listed) for listed in named.values()})
    if len(counts) > 1:
        found = " and ".join(map(str, counts))
        raise _refusal("effects", f"must list as many effects of each term, found {found}", files)
    effects = {
        term: _as_many(listed, counts[0]) for term, listed in given.default_effects().items()
    }
    return effects | {term: [*map(float, listed)] for term, listed in named.items()}


def _compared(
    named: Mapping[str, float], effects: Mapping[str, Sequence[float]], files: Sequence[str]
) -> dict[str, float]:
    """Return the effects of single terms at which power is compared, each one of its own."""
    for term, effect in named.items():
        if term not in effects:
            raise _unknown("effect", term, [*effects], files)
        if effect not in effects[term]:
            known = ", ".join(map(format_level, effects[term]))
            problem = f"must be for {term} one of its effects, {known}, found {effect:g}"
            raise _refusal("effect", problem, files)
    return {term: float(effect) for term, effect in named.items()}


def _check_reason(
    effects: Mapping[str, Sequence[float]], given: GivenData, files: Sequence[str]
) -> None:
    """Refuse effects that dwarf the response, such as those in other units."""
    shard = given.shard
    response, predictors = shard.y.std(), shard.X.std(axis=0)
    for term, sd in zip(shard.terms, predictors.tolist(), strict=True):
        largest = max(effects[term])
        if largest * sd > BEYOND_REASON * response:
            raise _refusal(
                "effects",
                f"has {largest:g} for {term}, by which the response would vary "
                f"{largest * sd / response:,.0f} times as much as it does; effects are in units of "
                "the response per unit of the predictor",
                files,
            )


def _as_many(effects: Sequence[float], count: int) -> list[float]:
    """Return so many effects that differ: of a few, that in the middle; of many, multiples, too."""
    middle = len(effects) // 2
    found = [effects[middle], *effects[:middle], *effects[middle + 1 :]][:count]
    while len(found) < count:
        found.append(2.0 * max(found))
    return sorted(found)


def _unknown(key: str, term: str, terms: Sequence[str], files: Sequence[str]) -> ConfigError:
    problem = f"names {term!r}, which is not one of the coefficients, {', '.join(terms)}"
    return _refusal(key, f"{problem}{nearest(term, terms)}", files)


def _refusal(key: str, problem: str, files: Sequence[str]) -> ConfigError:
    source = configuration.holder(files, ["verdict", *key.split(".")])
    return ConfigError(f"{source}: verdict.{key} {problem}")

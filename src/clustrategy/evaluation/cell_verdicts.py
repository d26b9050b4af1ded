"""The verdicts on every strategy in one cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustrategy.core.shard import INTERCEPT, Floats
from clustrategy.dgp import Process
from clustrategy.dgp.drawn import AnyProcess
from clustrategy.dgp.kinds import INTERCEPT_KIND
from clustrategy.dgp.oracle import ORACLE_POWER, is_by_oracle, oracle_effects
from clustrategy.evaluation import promises
from clustrategy.evaluation.confidence_sequence import Mixture, beta_binomial, betting, tuned
from clustrategy.evaluation.promises import NOT_ESTIMATED, Found, Sample
from clustrategy.evaluation.regions import (
    BIASED,
    CONSERVATIVE,
    HOLDS,
    LIBERAL,
    MOST_SIMS,
    WITHIN,
    Regions,
    Verdict,
    verdict_of,
)
from clustrategy.evaluation.wilson import wilson

FALSE_POSITIVES, COVERAGE, SE_ERROR, BIAS = (
    "false_positive_rate",
    "coverage",
    "relative_error",
    "bias",
)
POWER, ADJUSTED, DETECTABLE = "power", "size_adjusted_power", "minimal_detectable_effect"
SINGULAR, UNUSABLE = "singular_rate", "unusable_rate"
TO_THE_BEST = "power_less_the_best"
MEASURES = (
    FALSE_POSITIVES,
    COVERAGE,
    SE_ERROR,
    BIAS,
    POWER,
    ADJUSTED,
    DETECTABLE,
    TO_THE_BEST,
    SINGULAR,
    UNUSABLE,
)
"""What verdicts are given on, in the order of the table."""

PROMISES = (FALSE_POSITIVES, COVERAGE, SE_ERROR, BIAS)
"""Those that have a verdict."""

INTERVAL_LEVEL = 0.05
"""How often a 95 % interval may miss: the level of all intervals, whatever that of the tests."""

NOT_EQUIVARIANT = "not known to be equivariant: power at the true coefficients only"

PLANNED = 1000
"""Sims to which sequences are tuned. It has to be the same however many there are."""

CELL = "cell"
ALL = "all"

SCHEMA = pa.schema(
    [
        ("scope", pa.string()),
        ("strategy", pa.string()),
        ("kind", pa.string()),
        ("terms", pa.string()),
        ("measure", pa.string()),
        ("effect", pa.float64()),
        ("coefficient", pa.float64()),
        ("value", pa.float64()),
        ("mcse", pa.float64()),
        ("conf_low", pa.float64()),
        ("conf_high", pa.float64()),
        ("n", pa.int64()),
        ("verdict", pa.string()),
        ("between", pa.string()),
        ("safe", pa.bool_()),
        ("sims_needed", pa.int64()),
        ("cells", pa.int64()),
        ("lowest", pa.float64()),
        ("highest", pa.float64()),
        ("mean_over_these_cells", pa.float64()),
        ("safe_cells", pa.int64()),
        ("liberal_cells", pa.int64()),
        ("undecided_cells", pa.int64()),
        ("worst_cell", pa.string()),
        ("note", pa.string()),
    ]
)
"""The columns of verdicts behind those of the factors; docs/verdicts.md says what they hold."""


class Key(NamedTuple):
    """What a number is of.

    Attributes
    ----------
    strategy : str
        The label.
    kind : str or None
        The kind of terms; None of whole fits.
    measure : str
        One of `MEASURES`.
    effect : float or None
        Of power.
    """

    strategy: str
    kind: str | None
    measure: str
    effect: float | None = None


@dataclass(frozen=True)
class Judged:
    """A number of a cell, and what it means.

    Attributes
    ----------
    terms : tuple of str
        The terms that are taken together.
    found : Found
        The number.
    verdict : Verdict, optional
        Where the number is a promise that is kept or not.
    safe : bool, optional
        Of false-positive rates.
    sims_needed : int, optional
        The sims that would decide, where the verdict is undecided and any number would.
    sims : int
        Those of the cell, whose fits may be unusable.
    coefficient : float, optional
        Of power: what the effect is in units of the outcome per unit of the predictor.
    """

    terms: tuple[str, ...]
    found: Found
    verdict: Verdict | None = None
    safe: bool | None = None
    sims_needed: int | None = None
    sims: int = 0
    coefficient: float | None = None

    @property
    def is_liberal(self) -> bool:
        """Whether the verdict is that the false-positive rate is liberal."""
        return self.verdict is not None and self.verdict.word == LIBERAL


def compared_effect(effect: float | Mapping[str, float], kind: str | None) -> float:
    """Return the effect at which the power for a kind of terms is compared.

    Parameters
    ----------
    effect : float, or mapping of str to float
        Of all kinds, or of each term, where each is a kind of its own.
    kind : str, optional
        Of terms, as `kinds` names it.
    """
    if not isinstance(effect, Mapping):
        return effect
    return effect[INTERCEPT if kind == INTERCEPT_KIND else str(kind)]


@dataclass(frozen=True)
class Rules:
    """How numbers become verdicts.

    Attributes
    ----------
    regions : Regions
        Of false-positive rates.
    effects : tuple of float, or mapping of str to sequence of float
        At which there is power; on a given design of each term; by an oracle its powers.
    effect : float, or mapping of str to float
        The one of them by which strategies are recommended; on a given design of each term.
    anytime : bool
        Whether intervals of rates are to hold at every number of sims at once, so that sims may be
        added until they decide.
    by_oracle : bool
        Whether effects are given by an oracle's power.
    coefficients : mapping of str to sequence of float, optional
        By an oracle, what the effects of each term are in one cell.
    """

    regions: Regions = field(default_factory=Regions)
    effects: Sequence[float] | Mapping[str, Sequence[float]] = ()
    effect: float | Mapping[str, float] = np.nan
    anytime: bool = False
    by_oracle: bool = False
    coefficients: Mapping[str, Sequence[float]] | None = None

    @classmethod
    def of(cls, verdict: Mapping[str, Any], alpha: float) -> Rules:
        """Take the rules from the settings `verdict` of a config and the level of its tests."""
        names = ("lower", "upper", "liberal", "confidence")
        regions = Regions(alpha, **{name: verdict[name] for name in names})
        anytime = verdict["interval"] == "anytime"
        effects = verdict["effects"]
        by_oracle = is_by_oracle(effects)
        if by_oracle:
            effects = effects[ORACLE_POWER]
        return cls(regions, effects, verdict["effect"], anytime, by_oracle)

    def in_cell(self, process: AnyProcess) -> Rules:
        """Return the rules in a cell, where an oracle says what effects are."""
        if not self.by_oracle:
            return self
        assert isinstance(process, Process) and not isinstance(self.effects, Mapping)
        found = oracle_effects(process, self.effects, self.regions.alpha)
        return replace(self, coefficients=found)

    def effects_of(self, terms: Sequence[str]) -> Sequence[float]:
        """Return the effects at which there is power of some terms of one kind."""
        return self.effects[terms[0]] if isinstance(self.effects, Mapping) else self.effects

    def coefficients_of(self, terms: Sequence[str]) -> Sequence[float]:
        """Return what these effects are as coefficients."""
        return self.coefficients[terms[0]] if self.coefficients else self.effects_of(terms)

    def effect_of(self, kind: str | None) -> float:
        """Return the effect by which strategies are recommended for a kind of terms."""
        return compared_effect(self.effect, kind)

    @cached_property
    def mixture(self) -> Mixture:
        """What the sequences of single terms are tuned to: the level of the tests."""
        return tuned(self.regions.alpha, PLANNED)

    def limits(self, found: Found, confidence: float) -> tuple[float, float]:
        """Return the interval of a rate."""
        if not self.anytime or found.by_dataset is None:
            low, high = wilson(found.value, found.trials, confidence)
        elif found.terms == 1:
            successes = found.by_dataset.sum()
            low, high = beta_binomial(successes, found.n, self.mixture, confidence)
        else:
            return betting(found.by_dataset, confidence)
        return float(low), float(high)

    def judge(
        self,
        sample: Sample,
        terms: tuple[str, ...],
        *,
        unusable: float,
        sims: int,
        finite_variance: bool,
        no_power: str = "",
    ) -> Iterator[tuple[str, float | None, Judged]]:
        """Yield what there is to say of one strategy's terms of a kind: measure, effect, judgement.

        Parameters
        ----------
        sample : Sample
            The numbers of the usable fits.
        terms : tuple of str
            Their names.
        unusable : float
            The share of unusable fits.
        sims : int
            The datasets, those with unusable fits included.
        finite_variance : bool
            Whether the estimates have a finite variance.
        no_power : str
            Why the power is not known at any effect, where it is not.
        """
        alpha, level = self.regions.alpha, self.regions.confidence
        of = {"finite_variance": finite_variance}
        rate = promises.false_positive_rate(sample, alpha, level)
        yield FALSE_POSITIVES, None, self.false_positives(rate, terms, unusable, sims)
        for measure, found in (
            (COVERAGE, promises.coverage(sample, level)),
            (SE_ERROR, promises.relative_error(sample, level, **of)),
            (BIAS, promises.bias(sample, level, **of)),
        ):
            yield measure, None, self.promise(measure, found, terms, sims)
        effects, coefficients = self.effects_of(terms), self.coefficients_of(terms)
        if no_power:
            nothing = Judged(terms, Found(note=no_power))
            for measure in (POWER, ADJUSTED):
                yield from ((measure, effect, nothing) for effect in effects)
            yield DETECTABLE, None, nothing
            return
        for measure, function in (
            (POWER, promises.power),
            (ADJUSTED, promises.size_adjusted_power),
        ):
            powers = function(sample, coefficients, alpha, level)
            for effect, size, each in zip(effects, coefficients, powers, strict=True):
                yield measure, effect, Judged(terms, each, coefficient=size)
        least = promises.minimal_detectable_effect(sample, alpha, level)
        yield DETECTABLE, None, Judged(terms, least)

    def false_positives(
        self, found: Found, terms: tuple[str, ...], unusable: float, sims: int
    ) -> Judged:
        """Judge a false-positive rate; the parameters are those of `judge`."""
        if not found.n:
            return Judged(terms, found, safe=None if found.note == NOT_ESTIMATED else False)
        confidence = self.regions.confidence
        low, high = self.limits(found, confidence)
        # The errors of a sequence may all be at one end.
        _, limit = self.limits(found, confidence if self.anytime else 2 * confidence - 1)
        verdict = self.regions.verdict(low, high)
        safe = self.regions.is_safe(limit, unusable)
        needed = _sims(found, self.regions.trials_needed(found.value), sims, verdict)
        return Judged(terms, replace(found, low=low, high=high), verdict, safe, needed, sims)

    def promise(self, measure: str, found: Found, terms: tuple[str, ...], sims: int) -> Judged:
        """Judge a coverage by how often intervals miss, a bias or SE error by how near 0 it is.

        Parameters
        ----------
        measure : str
            `coverage`, `relative_error` or `bias`.
        found : Found
            The number.
        terms, sims
            As of `judge`.
        """
        if not np.isfinite(found.low):
            return Judged(terms, found)
        if measure == COVERAGE:
            low, high = self.limits(found, self.regions.confidence)
            found = replace(found, low=low, high=high)
            multiples = self.regions.lower, self.regions.upper, self.regions.liberal
            regions = Regions(INTERVAL_LEVEL, *multiples, self.regions.confidence)
            verdict = regions.verdict(1 - high, 1 - low)
            needed = _sims(found, regions.trials_needed(1 - found.value), sims, verdict)
            return Judged(terms, found, verdict, None, needed, sims)
        words = (BIASED, HOLDS, BIASED) if measure == BIAS else (LIBERAL, HOLDS, CONSERVATIVE)
        verdict = verdict_of((found.low, found.high), (-WITHIN, WITHIN), words)
        gap = abs(abs(found.value) - WITHIN)
        needed = None
        if verdict.between and gap > 0:
            needed = _whole(sims * ((found.high - found.low) / 2 / gap) ** 2)
        return Judged(terms, found, verdict, None, needed, sims)


def _sims(found: Found, trials: float, sims: int, verdict: Verdict) -> int | None:
    """Return the sims that have so many trials, where the verdict is undecided."""
    if not verdict.between:
        return None
    return _whole(sims * trials / found.trials)


def _whole(sims: float) -> int | None:
    return int(np.ceil(sims)) if sims <= MOST_SIMS else None


def judge_cell(
    rules: Rules,
    strategies: Sequence[str],
    kinds: Mapping[str, tuple[str, ...]],
    sample: Callable[[int, str], Sample],
    status: NDArray[Any],
    usable: NDArray[np.bool_],
    finite_variance: Sequence[bool],
    equivariant: Sequence[bool],
) -> dict[Key, Judged]:
    """Judge every strategy in one cell.

    Parameters
    ----------
    rules : Rules
        How numbers become verdicts.
    strategies : Sequence of str
        The labels.
    kinds : Mapping
        The terms of each kind.
    sample : callable
        Gives the numbers of a strategy, by its place, for the terms of a kind.
    status : (strategies, S) array of str
        How each fit ended.
    usable : (strategies, S) array of bool
        Whether it has numbers that count.
    finite_variance : Sequence of bool
        Whether the estimates of each strategy have a finite variance.
    equivariant : Sequence of bool
        Whether each depends on the coefficients by a shift alone.
    """
    judged: dict[Key, Judged] = {}
    confidence = rules.regions.confidence
    sims = usable.shape[1]
    for place, strategy in enumerate(strategies):
        unusable = promises.rate((~usable[place : place + 1]).astype(float), confidence)
        singular = (status[place : place + 1] == "singular").astype(float)
        for kind, terms in kinds.items():
            for measure, effect, each in rules.judge(
                sample(place, kind),
                terms,
                unusable=unusable.value,
                sims=sims,
                finite_variance=finite_variance[place],
                no_power="" if equivariant[place] else NOT_EQUIVARIANT,
            ):
                judged[Key(strategy, kind, measure, effect)] = each
        judged[Key(strategy, None, SINGULAR)] = Judged((), promises.rate(singular, confidence))
        judged[Key(strategy, None, UNUSABLE)] = Judged((), unusable)
    return judged


def sample_of(
    numbers: Mapping[str, Floats],
    truth: Floats,
    own: Floats | None,
    usable: NDArray[np.bool_],
    places: Sequence[int],
) -> Sample:
    """Take the numbers of one strategy for some terms.

    Parameters
    ----------
    numbers : Mapping of str to (p, S) array
        `estimate`, `std_error`, `df`, `conf_low` and `conf_high`.
    truth : (p, S) array
        The true values.
    own : (p, S, 1 + effects) array, optional
        The p-values of tests of its own, NaN where the test is that of the t distribution.
    usable : (S,) array of bool
        Which fits count.
    places : Sequence of int
        The places of the terms.
    """
    rows = list(places)

    def column(name: str) -> Floats:
        return np.where(usable, numbers[name][rows], np.nan)

    true = truth[rows]
    error = column("estimate") - true
    known = np.isfinite(error)
    mine = None
    if own is not None and not np.isnan(own[rows]).all():
        mine = np.where(usable, np.moveaxis(own[rows], 2, 0), np.nan)
    estimated = bool(known.any())
    return Sample(
        np.where(known, error, np.nan),
        column("std_error"),
        column("df"),
        column("conf_low") - true,
        column("conf_high") - true,
        mine,
        promises.NO_FIT if estimated or not usable.any() else NOT_ESTIMATED,
    )


def rows_of(judged: Mapping[Key, Judged]) -> list[dict[str, Any]]:
    """Return the rows of a cell, as `SCHEMA` without what is of several cells."""
    return [row(key, each, scope=CELL, cells=1) for key, each in judged.items()]


def row(key: Key, judged: Judged, **more: Any) -> dict[str, Any]:
    """Return one row, as `SCHEMA` names its columns."""
    found, verdict = judged.found, judged.verdict
    return {
        "strategy": key.strategy,
        "kind": key.kind,
        "terms": ", ".join(judged.terms) or None,
        "measure": key.measure,
        "effect": key.effect,
        "coefficient": judged.coefficient,
        "value": found.value,
        "mcse": found.mcse,
        "conf_low": found.low,
        "conf_high": found.high,
        "n": found.n,
        "verdict": verdict.word if verdict else None,
        "between": verdict.between or None if verdict else None,
        "safe": judged.safe,
        "sims_needed": judged.sims_needed,
        "note": found.note or None,
        **more,
    }


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return rows as a table, NaN as null."""
    columns = [
        pa.array([row.get(field.name) for row in rows], field.type, from_pandas=True)
        for field in SCHEMA
    ]
    return pa.table(columns, schema=SCHEMA)

"""The verdicts on every strategy over several cells: the worst cell and the range, first of all.

A mean over cells depends on which cells there are, and averages failures of opposite kinds; so it
comes last, and under a name that says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clustrategy.core.cells import Cell, Level, cell_path, format_level
from clustrategy.core.shard import Floats
from clustrategy.dgp.kinds import INTERCEPT_KIND
from clustrategy.evaluation.best import with_the_best
from clustrategy.evaluation.cell_verdicts import (
    ADJUSTED,
    ALL,
    BIAS,
    COVERAGE,
    FALSE_POSITIVES,
    MEASURES,
    POWER,
    PROMISES,
    SE_ERROR,
    TO_THE_BEST,
    Judged,
    Key,
    Rules,
    row,
)
from clustrategy.evaluation.promises import Found, normal_interval
from clustrategy.evaluation.regions import holm

NOT_DRAWN_AGAIN = "the worst cell was not drawn again: its interval holds for the worst of {} cells"

Fresh = Mapping[tuple[int, str, str | None], Judged]
"""False-positive rates of worst cells drawn again, by the cell's place, strategy and kind."""


@dataclass(frozen=True)
class Scope:
    """Some cells, taken together.

    Attributes
    ----------
    name : str
        `all`, or the factors of which they have one level each, with commas between.
    levels : Mapping of str to Level
        These levels.
    places : tuple of int
        Their places among all cells.
    """

    name: str
    levels: Mapping[str, Level]
    places: tuple[int, ...]


def scopes(cells: Sequence[Cell], by: Sequence[str | Sequence[str]]) -> list[Scope]:
    """List all cells together, and those of each level of some factors.

    Parameters
    ----------
    cells : Sequence of Cell
        Of the study.
    by : Sequence of str or of Sequence of str
        The factors, or several of which the cells have one level each. What tells no cells apart,
        or all of them, adds nothing and is left out.
    """
    found = [Scope(ALL, {}, tuple(range(len(cells))))]
    for entry in by:
        factors = [entry] if isinstance(entry, str) else [*entry]
        places: dict[str, list[int]] = {}
        for place, cell in enumerate(cells):
            places.setdefault(cell_path({f: cell[f] for f in factors}), []).append(place)
        if 1 < len(places) and (len(factors) == 1 or len(places) < len(cells)):
            found += [
                Scope(", ".join(factors), {f: cells[of[0]][f] for f in factors}, tuple(of))
                for of in places.values()
            ]
    return found


def named(cell: Mapping[str, Level]) -> str:
    """Name a cell in words."""
    return ", ".join(
        f"{format_level(value)} {factor}"
        if factor == "clusters"
        else f"{factor} {format_level(value)}"
        for factor, value in cell.items()
    )


def over_cells(
    cells: Sequence[Cell],
    judged: Sequence[Mapping[Key, Judged]],
    scope: Scope,
    rules: Rules,
    fresh: Fresh,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a scope: of each strategy, kind and measure the worst cell and the range.

    Parameters
    ----------
    cells : Sequence of Cell
        Of the study.
    judged : Sequence of Mapping
        Of each cell what `judge_cell` gives.
    scope : Scope
        The cells that are taken together.
    rules : Rules
        How numbers become verdicts.
    fresh : Mapping
        The worst cells drawn again, for the largest of many rates is too large.
    """
    safe: dict[str | None, list[str]] = {}
    not_liberal: dict[str | None, list[str]] = {}
    for key in _keys(judged, scope):
        found = _found(judged, scope, key)
        known = _known(found)
        more: dict[str, Any] = {"scope": scope.name, "cells": len(found)}
        if key.measure == FALSE_POSITIVES:
            more |= _counts(found, rules, _liberal_again(key, scope, fresh))
        if not known:
            first = next(iter(found.values()))
            yield {**row(key, first), **more}
            continue
        values = np.array([each.found.value for each in known.values()])
        place = _worst(key, known)
        shown, note = known[place], None
        if key.measure in PROMISES and len(known) > 1:
            again = None
            if key.measure == FALSE_POSITIVES:
                again = fresh.get((place, key.strategy, key.kind))
            if again is not None and again.found.n:
                shown = again
            else:
                shown = _worst_of(len(known), key.measure, shown, rules)
                note = NOT_DRAWN_AGAIN.format(len(known))
        if key.measure == FALSE_POSITIVES:
            if more["safe"]:
                safe.setdefault(key.kind, []).append(key.strategy)
            if not more["liberal_cells"]:
                not_liberal.setdefault(key.kind, []).append(key.strategy)
        line = row(key, shown)
        line["note"] = line["note"] or note
        line |= more
        line |= {
            "lowest": float(values.min()),
            "highest": float(values.max()),
            "mean_over_these_cells": float(values.mean()),
            "worst_cell": named(cells[place]) if np.ptp(values) > 0 else None,
        }
        yield line
    for kind, strategies in not_liberal.items():
        yield from _to_the_best(judged, scope, rules, kind, safe.get(kind, strategies))


def worst_cells(
    judged: Sequence[Mapping[Key, Judged]], scopes: Sequence[Scope]
) -> dict[int, list[tuple[str, str]]]:
    """List what is to be drawn again: by place, the strategies and kinds whose worst cell it is.

    The intercept's are not: nobody chooses a strategy by them.
    """
    found: dict[int, dict[tuple[str, str], None]] = {}
    for scope in scopes:
        for key in _keys(judged, scope):
            if key.measure != FALSE_POSITIVES or key.kind == INTERCEPT_KIND:
                continue
            known = _known(_found(judged, scope, key))
            if len(known) > 1:
                found.setdefault(_worst(key, known), {})[key.strategy, str(key.kind)] = None
    return {place: list(pairs) for place, pairs in sorted(found.items())}


def _keys(judged: Sequence[Mapping[Key, Judged]], scope: Scope) -> list[Key]:
    """List what there is to say something of in some cell of a scope."""
    return list(dict.fromkeys(key for place in scope.places for key in judged[place]))


def _found(judged: Sequence[Mapping[Key, Judged]], scope: Scope, key: Key) -> dict[int, Judged]:
    """Return what is said in each cell of a scope, by its place."""
    return {place: judged[place][key] for place in scope.places if key in judged[place]}


def _known(found: Mapping[int, Judged]) -> dict[int, Judged]:
    """Return what has a value."""
    return {place: each for place, each in found.items() if np.isfinite(each.found.value)}


def _worst(key: Key, known: Mapping[int, Judged]) -> int:
    """Return the place of the worst of some cells, the first of equal ones."""
    values = np.array([each.found.value for each in known.values()])
    return list(known)[int(np.argmax(_badness(key.measure, values)))]


def _badness(measure: str, values: Floats) -> Floats:
    """Return numbers that are the larger the worse the values of a measure are."""
    if measure in (POWER, ADJUSTED, COVERAGE):
        return -values
    return np.abs(values) if measure in (SE_ERROR, BIAS) else values


def _worst_of(cells: int, measure: str, judged: Judged, rules: Rules) -> Judged:
    """Judge the worst of several cells again, by an interval that holds for all of them at once.

    Each has the level 1 - (1 - confidence) / cells.
    """
    found = judged.found
    confidence = 1 - (1 - rules.regions.confidence) / cells
    strict = replace(rules, regions=replace(rules.regions, confidence=confidence))
    if measure == FALSE_POSITIVES:
        return strict.false_positives(found, judged.terms, 0.0, judged.sims)
    if measure != COVERAGE:
        low, high = normal_interval(found.value, found.mcse, confidence)
        found = replace(found, low=low, high=high)
    return strict.promise(measure, found, judged.terms, judged.sims)


def _liberal_again(key: Key, scope: Scope, fresh: Fresh) -> set[int]:
    """Return the places of the cells in which a strategy was found liberal when drawn again."""
    drawn = {place: fresh.get((place, key.strategy, key.kind)) for place in scope.places}
    return {place for place, each in drawn.items() if each is not None and each.is_liberal}


def _counts(found: Mapping[int, Judged], rules: Rules, again: set[int]) -> dict[str, Any]:
    """Count the cells in which a strategy is safe, liberal, or neither.

    It is liberal where it was found to be when drawn again, or by Holm's method for all cells.
    """
    tested = {place: each for place, each in found.items() if each.safe is not None}
    if not tested:
        return {"safe": None}
    liberal = again | _liberal({place: each.found for place, each in tested.items()}, rules)
    safe = sum(bool(each.safe) and place not in liberal for place, each in tested.items())
    return {
        "safe": safe == len(tested),
        "safe_cells": safe,
        "liberal_cells": len(liberal),
        "undecided_cells": len(tested) - safe - len(liberal),
    }


def _liberal(found: Mapping[int, Found], rules: Rules) -> set[int]:
    """Return the places of the rates that are liberal, corrected for their number by Holm's method.

    Where sims may be added until they decide, by limits that hold for all rates at once. The level
    is that of one end of an interval: a single rate is liberal if its verdict says so.
    """
    rates = {place: rate for place, rate in found.items() if rate.n}
    error = 1 - rules.regions.confidence
    if not rates:
        return set()
    if rules.anytime:
        level = 1 - error / len(rates)
        bound = rules.regions.bounds[2]
        return {place for place, rate in rates.items() if rules.limits(rate, level)[0] > bound}
    p_values = [rules.regions.excess_p_value(rate.value, rate.trials) for rate in rates.values()]
    rejected = holm(np.array(p_values), error / 2)
    return {place for place, is_rejected in zip(rates, rejected, strict=True) if is_rejected}


def _to_the_best(
    judged: Sequence[Mapping[Key, Judged]],
    scope: Scope,
    rules: Rules,
    kind: str | None,
    strategies: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """Yield how much less power each strategy has than the best of the others.

    Those whose power is not known in any cell are left out, and then cells where any other's is
    not.
    """
    key = Key("", kind, ADJUSTED, rules.effect_of(kind))
    places = [
        place for place in scope.places if key._replace(strategy=strategies[0]) in judged[place]
    ]
    of = {
        strategy: [judged[place][key._replace(strategy=strategy)].found for place in places]
        for strategy in strategies
    }
    compared = [
        strategy
        for strategy, found in of.items()
        if any(each.influence is not None for each in found)
    ]
    if len(compared) < 2:
        return
    by_cell = list(zip(*(of[strategy] for strategy in compared), strict=True))
    complete = [
        [(each.value, each.influence) for each in cell]
        for cell in by_cell
        if all(each.influence is not None for each in cell)
    ]
    if not complete:
        return
    powers = np.array([[value for value, _ in cell] for cell in complete]).T
    influences = [np.array([influence for _, influence in cell]) for cell in complete]
    differences = with_the_best(powers, influences, rules.regions.confidence)
    terms = judged[places[0]][key._replace(strategy=strategies[0])].terms
    for strategy, each in zip(compared, differences, strict=True):
        found = Found(each.value, each.mcse, each.low, each.high, len(influences[0][0]))
        own = key._replace(strategy=strategy, measure=TO_THE_BEST)
        yield {**row(own, Judged(terms, found)), "scope": scope.name, "cells": len(complete)}


def order(rows: Sequence[dict[str, Any]], strategies: Sequence[str]) -> list[dict[str, Any]]:
    """Return rows by strategy, kind and measure."""
    kinds = list(dict.fromkeys(line["kind"] for line in rows))
    return sorted(
        rows,
        key=lambda line: (
            strategies.index(line["strategy"]),
            line["kind"] is None,
            kinds.index(line["kind"]),
            MEASURES.index(line["measure"]),
        ),
    )

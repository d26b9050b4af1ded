"""The conclusions of the study that we start from, judged by a study like it.

That study drew 19 conclusions from 50 sims a cell, by eye. Each is made up of comparisons, of one
median with another or of a ratio with a limit, and is judged by the rule of `comparisons`. What is
said of the fits or the dataset at hand has no Monte Carlo error, and is judged as it is.

err, SE and T are medians over the sims of a cell: of the summed absolute errors of the
coefficients, of their summed standard errors and of their summed |t|. Means of ratios are
geometric.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustrategy.core.counted import counted
from clustrategy.core.shard import Floats
from clustrategy.evaluation.comparisons import (
    DOES_NOT_HOLD,
    HOLDS,
    UNDECIDED,
    Counts,
    judge,
    of_cells,
    of_each,
    of_one,
)
from clustrategy.evaluation.lme4_rules import RULES, Rule, failures
from clustrategy.evaluation.log_medians import DRAWS, deviations, log_medians
from clustrategy.evaluation.scores import Scores

CLUSTERS, OBSERVATIONS = (10, 30, 100), (5, 25, 100)
SIGMAS = (0.1, 0.25, 1.0, 2.0, 4.0)
GRID = {
    "clusters": CLUSTERS,
    "obs_per_cluster": OBSERVATIONS,
    "between_cluster_sigma": SIGMAS,
}
"""The cells that the conclusions are about."""

NAMES = {
    "cluster_robust": "cluster-robust",
    "two_stage": "two-stage",
    "mixed_maximal": "maximal",
    "mixed_intercept": "intercept-only",
}
"""The registered names of the strategies that the conclusions are about, and their names here."""

ROBUST, TWO_STAGE, MAXIMAL, INTERCEPT = range(len(NAMES))

CONCLUSIONS = pa.schema(
    [
        ("number", pa.int64()),
        ("statement", pa.string()),
        ("criterion", pa.string()),
        ("found", pa.string()),
        ("verdict", pa.string()),
        ("beside", pa.string()),
    ]
)

_NO_VARIANCE = (
    "With 5 observations and 3 slopes the estimates of two-stage have no finite variance, which "
    "medians do not show."
)


@dataclass(frozen=True)
class Drawn:
    """Logarithms of medians by draw, strategy, clusters, observations and sigma."""

    err: Floats
    se: Floats
    t: Floats


class Judged(NamedTuple):
    """What was found about a statement, in words, and its verdict."""

    found: str
    verdict: str


class Beside(NamedTuple):
    """What is to be shown beside a statement: a measure of some strategies in some cells."""

    measure: str
    strategies: Sequence[int]
    clusters: Sequence[int] = CLUSTERS
    observations: Sequence[int] = OBSERVATIONS
    sigmas: Sequence[float] = SIGMAS


@dataclass(frozen=True)
class Evidence:
    """What the statements are judged by.

    Attributes
    ----------
    drawn : Drawn
        The medians.
    failed : Mapping of str to (strategies, clusters, observations, sigmas, sims) array
        Which fits failed, by the rule of lme4.
    singular, alarmed : (strategies, clusters, observations, sigmas, sims) array
        Which fits are singular, and in which a check of the optimizer complained.
    worked_example : Mapping, optional
        The summed standard errors and |t| of each strategy in one dataset, by registered name.
    """

    drawn: Drawn
    failed: Mapping[Rule, NDArray[np.bool_]]
    singular: NDArray[np.bool_]
    alarmed: NDArray[np.bool_]
    worked_example: Mapping[str, tuple[float, float]] | None


class Statement(NamedTuple):
    """A conclusion of that study."""

    statement: str
    criterion: str
    judge: Callable[[Evidence], Judged]
    beside: Sequence[Beside | Callable[[Evidence], str] | str]


def conclusions(
    scores: pa.Table,
    fits: pa.Table,
    labels: Mapping[str, str],
    worked_example: Mapping[str, tuple[float, float]] | None = None,
    verdicts: pa.Table | None = None,
) -> pa.Table:
    """Judge the conclusions of the study that we start from.

    Parameters
    ----------
    scores, fits : Table
        The whole tables of a study's scores and fits.
    labels : Mapping of str to str
        The study's label of each strategy of `NAMES`.
    worked_example : Mapping of str to (float, float), optional
        The summed standard errors and the summed |t| of each label in one dataset of 50 clusters of
        50 observations.
    verdicts : Table, optional
        The study's verdicts, for what is shown beside the statements.

    Returns
    -------
    Table
        As `CONCLUSIONS`, a row for each statement; none if the study lacks a strategy of `NAMES` or
        a cell of `GRID`, or has further factors.
    """
    blank: pa.Table = CONCLUSIONS.empty_table()
    if not labels.keys() >= NAMES.keys():
        return blank
    metrics = _arrays(scores, labels, Scores._fields)
    glances = _arrays(
        fits,
        labels,
        ("status", "optimizer_warning", "gradient_warning", "hessian_warning", "singular"),
    )
    if metrics is None or glances is None:
        return blank
    alarms = [glances[f"{check}_warning"] for check in ("optimizer", "gradient", "hessian")]
    evidence = Evidence(
        _drawn(metrics),
        {rule: failures(glances, rule) for rule in RULES},
        glances["singular"].astype(bool),
        np.any(alarms, axis=0),
        None if worked_example is None else {name: worked_example[labels[name]] for name in NAMES},
    )
    rows = []
    for number, one in enumerate(STATEMENTS, 1):
        found, verdict = one.judge(evidence)
        parts = [_beside(part, evidence, labels, verdicts) for part in one.beside]
        rows.append(
            {
                "number": number,
                "statement": one.statement,
                "criterion": one.criterion,
                "found": found,
                "verdict": verdict,
                "beside": " ".join(part for part in parts if part) or None,
            }
        )
    return pa.Table.from_pylist(rows, CONCLUSIONS)


def _arrays(
    table: pa.Table, labels: Mapping[str, str], columns: Sequence[str]
) -> dict[str, NDArray[np.generic]] | None:
    """Return columns by strategy, clusters, observations, sigma and sim; None if any is missing."""
    if not {*GRID, *columns} <= {*table.column_names}:
        return None
    places = [
        pc.fill_null(pc.index_in(table[factor], pa.array(levels, table[factor].type)), -1)
        for factor, levels in {**GRID, "strategy": [labels[name] for name in NAMES]}.items()
    ]
    at = np.stack([place.to_numpy().astype(np.int64) for place in places])
    there = np.flatnonzero((at >= 0).all(axis=0))
    shape = (len(NAMES), *(len(levels) for levels in GRID.values()))
    fits = math.prod(shape)
    cell = np.ravel_multi_index((at[-1, there], *at[:-1, there]), shape)
    sim = table["sim"].to_numpy()[there]
    order = np.lexsort((sim, cell))
    sims = np.unique(sim)
    if len(there) != fits * len(sims) or not len(there):
        return None
    whole = np.tile(sims, (fits, 1))
    if not np.array_equal(sim[order].reshape(whole.shape), whole):
        return None
    if not np.array_equal(cell[order], np.repeat(np.arange(fits), len(sims))):
        return None
    chosen = there[order]
    return {
        name: table[name].to_numpy(zero_copy_only=False)[chosen].reshape(*shape, len(sims))
        for name in columns
    }


def _drawn(metrics: Mapping[str, NDArray[np.generic]]) -> Drawn:
    """Return the medians, and what they may be in other studies like this one."""
    values = np.stack([metrics[name] for name in Scores._fields]).astype(float)
    shape, sims = values.shape[:-1], values.shape[-1]
    medians = log_medians(values.reshape(shape[0] * shape[1], -1, sims))
    away = deviations(medians.influence, medians.std_error)
    whole = np.concatenate([medians.value[None], medians.value + away]).reshape(-1, *shape)
    return Drawn(whole[:, 0], whole[:, 1], whole[:, 2])


def _mean(logs: Floats) -> Floats:
    """Return the mean of each draw."""
    return np.asarray(logs.reshape(len(logs), -1).mean(axis=1))


def _against_others(logs: Floats, strategy: int) -> Floats:
    """Return how far a strategy's logarithms are above those of the others."""
    others = [place for place in range(len(NAMES)) if place != strategy]
    return np.asarray(logs[:, [strategy]] - logs[:, others])


def _number(logs: Floats) -> str:
    """Write what logarithms were found to be the logarithm of, and its Monte Carlo error."""
    value = float(np.exp(logs[0]))
    return _with_error(value, value * float(logs[1:].std()), 2)


def _with_error(value: float, mcse: float, digits: int, unit: str = "") -> str:
    if not np.isfinite(value):
        return "no value"
    error = f" ({mcse:.{digits}f})" if np.isfinite(mcse) else ""
    return f"{value:.{digits}f}{unit}{error}"


def _extreme(logs: Floats, *, most: bool) -> tuple[str, tuple[int, ...]]:
    """Write the largest or the smallest of what was found, and return its place."""
    found = logs[0] if most else -logs[0]
    flat = int(np.where(np.isnan(found), -np.inf, found).argmax())
    place = tuple(int(one) for one in np.unravel_index(flat, found.shape))
    return _number(logs.reshape(len(logs), -1)[:, flat]), place


def _cell(clusters: int, observations: int, sigma: float) -> str:
    return f"{clusters} × {observations}, sigma {sigma:g}"


def _in_cells(counts: Counts, of: int, noun: str = "cells") -> str:
    """Write in how many cells something is true."""
    return (
        f"in {counts.found} of {of} {noun} (for sure in {counts.sure}, "
        f"at most in {counts.possible})"
    )


def _worked_example(evidence: Evidence) -> Judged:
    numbers = evidence.worked_example
    if numbers is None:
        return Judged("There is no worked example of 50 × 50.", UNDECIDED)
    (se_robust, _), (se_maximal, t_maximal), (_, t_intercept) = (
        numbers[name] for name in ("cluster_robust", "mixed_maximal", "mixed_intercept")
    )
    ratio, wider = t_intercept / t_maximal, se_robust / se_maximal
    if not np.isfinite([ratio, wider]).all():
        return Judged("A strategy has no usable fit to this dataset.", UNDECIDED)
    found = (
        f"T of the intercept-only model is {ratio:.2f} times the maximal model's; SE of "
        f"cluster-robust is {wider:.3f} times the maximal model's."
    )
    return Judged(found, HOLDS if ratio > 1.5 and wider > 1.0 else DOES_NOT_HOLD)


def _alike(evidence: Evidence, clusters: Sequence[int], sigmas: Sequence[float]) -> Judged:
    """Judge whether with 100 observations all strategies' errors are within 15 %."""
    rows, columns = (
        [*map(of.index, some)] for of, some in ((CLUSTERS, clusters), (SIGMAS, sigmas))
    )
    err = evidence.drawn.err[:, :, rows, -1][..., columns]
    first, second = np.nonzero(~np.eye(len(NAMES), dtype=bool))
    ratios = err[:, first] - err[:, second]
    cells = len(rows) * len(columns)
    verdict, (counts,) = judge([of_cells(np.log(1.15) - ratios, cells)])
    largest, (pair, n, s) = _extreme(ratios, most=True)
    names = [*NAMES.values()]
    return Judged(
        f"The ratio is at most 1.15 {_in_cells(counts, cells)}; the largest is {largest}, of "
        f"{names[first[pair]]} to {names[second[pair]]} at "
        f"{_cell(clusters[n], 100, sigmas[s])}.",
        verdict,
    )


def _clusters_beat_observations(evidence: Evidence) -> Judged:
    err = evidence.drawn.err[..., 2:]
    ratios = err[:, :, 0, 2] - err[:, :, 2, 0]
    verdict, _ = judge([of_each(ratios - np.log(1.5))])
    smallest, (strategy, s) = _extreme(ratios, most=False)
    return Judged(
        f"The smallest ratio is {smallest}, of {[*NAMES.values()][strategy]} at sigma "
        f"{SIGMAS[2 + s]:g}.",
        verdict,
    )


def _few_variable_clusters(evidence: Evidence) -> Judged:
    err = evidence.drawn.err[:, MAXIMAL]
    ratio = err[:, 0, 2, 4] - err[:, 2, 2, 0]
    verdict, _ = judge([of_one(ratio - np.log(10.0))])
    return Judged(f"The ratio is {_number(ratio)}.", verdict)


def _all_badly(evidence: Evidence) -> Judged:
    err = evidence.drawn.err[:, :, :2, :, 4]
    verdict, _ = judge([of_each(err)])
    smallest, (strategy, n, o) = _extreme(err, most=False)
    return Judged(
        f"The smallest err is {smallest}, of {[*NAMES.values()][strategy]} at "
        f"{_cell(CLUSTERS[n], OBSERVATIONS[o], 4)}.",
        verdict,
    )


def _two_stage_hurt(evidence: Evidence) -> Judged:
    err = evidence.drawn.err
    few, some, many = (_mean(err[:, TWO_STAGE, :, o] - err[:, MAXIMAL, :, o]) for o in range(3))
    parts = [of_one(few - np.log(1.3)), of_each(np.stack([few - some, few - many], axis=1))]
    verdict, _ = judge(parts)
    return Judged(
        f"The mean ratio is {_number(few)} with 5, {_number(some)} with 25 and {_number(many)} "
        "with 100 observations.",
        verdict,
    )


def _maximal_best(evidence: Evidence) -> Judged:
    err = evidence.drawn.err[:, :, :, 0]
    ahead = -_against_others(err, MAXIMAL)
    by_sigma = ahead.mean(axis=(1, 2))
    verdict, (counts, _) = judge([of_cells(ahead, 10), of_one(by_sigma[:, -1] - by_sigma[:, 0])])
    advantage = ", ".join(_number(by_sigma[:, s]) for s in range(len(SIGMAS)))
    return Judged(
        f"It has the smallest err {_in_cells(counts, 15)}; the mean err of the others is "
        f"{advantage} times its own at sigma {', '.join(f'{s:g}' for s in SIGMAS)}.",
        verdict,
    )


def _robust_like_intercept(evidence: Evidence) -> Judged:
    err = evidence.drawn.err[:, :, :, 0]
    ratio = err[:, ROBUST] - err[:, INTERCEPT]
    margins = np.stack([ratio - np.log(0.9), np.log(1.1) - ratio], axis=1)
    verdict, (counts,) = judge([of_cells(margins, 15)])
    smallest, _ = _extreme(ratio, most=False)
    largest, _ = _extreme(ratio, most=True)
    return Judged(
        f"The ratio is between 0.9 and 1.1 {_in_cells(counts, 15)}, from {smallest} to {largest}.",
        verdict,
    )


def _robust_worst(evidence: Evidence) -> Judged:
    behind = _against_others(evidence.drawn.err[:, :, :, 1], ROBUST)
    verdict, (counts,) = judge([of_cells(behind, 10)])
    return Judged(
        f"It has the largest err {_in_cells(counts, 15)}; on average it is "
        f"{_number(_mean(behind))} times that of the others.",
        verdict,
    )


def _monotone(evidence: Evidence) -> Judged:
    rises = np.stack([np.diff(evidence.drawn.se), -np.diff(evidence.drawn.t)], axis=1)
    steps = of_each(rises)
    verdict, (counts,) = judge([steps])
    return Judged(
        f"So it is {_in_cells(counts, steps.least, 'steps')} from one sigma to the next (4 in each "
        "of 9 panels, for 4 strategies, of SE and of T).",
        verdict,
    )


def _two_stage_unsure(evidence: Evidence) -> Judged:
    wider = _against_others(evidence.drawn.se[:, :, :, 0], TWO_STAGE)
    lower = -_against_others(evidence.drawn.t[:, :, :, 0], TWO_STAGE)
    verdict, (counts,) = judge([of_cells(np.concatenate([wider, lower], axis=1), 12)])
    return Judged(f"It has both {_in_cells(counts, 15)}.", verdict)


def _two_stage_does_not_gain(evidence: Evidence) -> Judged:
    t = evidence.drawn.t[:, :, :, 0]
    by_clusters = (t[:, TWO_STAGE] - t[:, MAXIMAL]).mean(axis=2)
    verdict, _ = judge([of_one(by_clusters[:, 0] - by_clusters[:, -1])])
    numbers = [_number(by_clusters[:, n]) for n in range(3)]
    return Judged(
        f"The mean ratio is {numbers[0]} with 10, {numbers[1]} with 30 and {numbers[2]} with 100 "
        "clusters.",
        verdict,
    )


def _intercept_most_sure(evidence: Evidence) -> Judged:
    higher = _against_others(evidence.drawn.t[..., 2:], INTERCEPT)
    narrower = -_against_others(evidence.drawn.se[..., 2:], INTERCEPT)
    verdict, (counts,) = judge([of_cells(np.concatenate([higher, narrower], axis=1), 27)])
    return Judged(f"It has both {_in_cells(counts, 27)}.", verdict)


def _intercept_gains(evidence: Evidence) -> Judged:
    t = evidence.drawn.t
    gains = (t[:, :, :, 2] - t[:, :, :, 0]).mean(axis=(2, 3))
    verdict, _ = judge([of_one(_against_others(gains, INTERCEPT))])
    numbers = [f"{_number(gains[:, s])} of {name}" for s, name in enumerate(NAMES.values())]
    return Judged(f"T grows by a mean factor of {', '.join(numbers)}.", verdict)


def _robust_like_maximal(evidence: Evidence) -> Judged:
    ratio = evidence.drawn.t[:, ROBUST] - evidence.drawn.t[:, MAXIMAL]
    margins = np.stack([ratio - np.log(0.8), np.log(1.25) - ratio], axis=1)
    verdict, (counts,) = judge([of_cells(margins, 41)])
    smallest, _ = _extreme(ratio, most=False)
    largest, _ = _extreme(ratio, most=True)
    return Judged(
        f"The ratio is between 0.8 and 1.25 {_in_cells(counts, 45)}, from {smallest} to {largest}.",
        verdict,
    )


_SINCE: Mapping[Rule, str] = {"<=1.1-18": "up to 1.1-18", ">=1.1-19": "since 1.1-19"}


def _intercept_never_fails(evidence: Evidence) -> Judged:
    failed = {rule: of[INTERCEPT] for rule, of in evidence.failed.items()}
    said = [f"{of.sum():,} by the rules of lme4 {_SINCE[rule]}" for rule, of in failed.items()]
    n = next(iter(failed.values())).size
    verdict = DOES_NOT_HOLD if any(of.any() for of in failed.values()) else HOLDS
    return Judged(f"Of {counted(n, 'fit')} there failed {' and '.join(said)}.", verdict)


def _share(rates: Floats) -> str:
    return _with_error(100.0 * float(rates[0]), 100.0 * float(rates[1:].std()), 1, " %")


def _maximal_fails_where(evidence: Evidence) -> Judged:
    failed = np.stack([of[MAXIMAL] for of in evidence.failed.values()]).astype(float)
    shares = failed.mean(axis=-1)
    sims = failed.shape[-1]
    apart = (failed - shares[..., None]).reshape(len(RULES), -1, sims)
    freedom = sims * (sims - 1) or np.nan
    error = np.linalg.norm(apart, axis=-1) / np.sqrt(freedom)
    away = deviations(apart, error).reshape(DRAWS, *shares.shape)
    rates = np.concatenate([shares[None], shares + away])
    sides = {
        "sigma up to 0.25": (rates[..., :2], rates[..., 2:]),
        "5 observations": (rates[..., :1, :], rates[..., 1:, :]),
    }
    margins, words = [], []
    for rule, name in enumerate(RULES):
        said = []
        for where, (inside, outside) in sides.items():
            both = _mean(inside[:, rule]), _mean(outside[:, rule])
            margins.append(both[0] - both[1])
            said.append(f"{_share(both[0])} with {where} and {_share(both[1])} otherwise")
        words.append(f"by the rules of lme4 {_SINCE[name]} {', '.join(said)}")
    verdict, _ = judge([of_each(np.stack(margins, axis=1))])
    return Judged(f"Failed fits: {'; '.join(words)}.", verdict)


def _stand_ins(evidence: Evidence) -> Judged:
    se = evidence.drawn.se[..., 1:, :]
    away = {s: _mean(np.abs(se[:, s] - se[:, MAXIMAL])) for s in (ROBUST, TWO_STAGE, INTERCEPT)}
    margins = np.stack([away[INTERCEPT] - away[s] for s in (ROBUST, TWO_STAGE)], axis=1)
    verdict, _ = judge([of_each(margins)])
    names = [*NAMES.values()]
    said = [
        f"{_with_error(float(of[0]), float(of[1:].std()), 3)} of {names[s]}"
        for s, of in away.items()
    ]
    return Judged(f"The mean is {', '.join(said)}.", verdict)


def _singular(strategy: int) -> Callable[[Evidence], str]:
    """Return what tells singular fits from alarms of the optimizer."""

    def words(evidence: Evidence) -> str:
        singular, alarmed = evidence.singular[strategy], evidence.alarmed[strategy]
        return (
            f"Of {counted(singular.size, 'fit')} of {[*NAMES.values()][strategy]} "
            f"{singular.sum():,} are singular (a variance is 0 or a correlation 1 or -1), and the "
            f"optimizer's checks complained of {alarmed.sum():,}."
        )

    return words


_MEASURES = {
    "false_positive_rate": "False positives by cell",
    "coverage": "Coverage by cell",
    "relative_error": "Relative error of the standard errors by cell",
    "power": "Power at an effect of 0.5 by cell",
}


def _beside(
    part: Beside | Callable[[Evidence], str] | str,
    evidence: Evidence,
    labels: Mapping[str, str],
    verdicts: pa.Table | None,
) -> str:
    """Write what is to be shown beside a statement, empty where it is not known."""
    if isinstance(part, str):
        return part
    if not isinstance(part, Beside):
        return part(evidence)
    if verdicts is None:
        return ""
    where = (pc.field("scope") == "cell") & (pc.field("measure") == part.measure)
    levels = (part.clusters, part.observations, part.sigmas)
    for factor, some in zip(GRID, levels, strict=True):
        where &= pc.field(factor).isin([*some])
    if part.measure == "power":
        where &= pc.field("effect") == 0.5
    rows = verdicts.filter(where & pc.field("value").is_valid())
    said = []
    for strategy in part.strategies:
        name = [*NAMES][strategy]
        mine = rows.filter(pc.field("strategy") == labels[name])
        if mine.num_rows:
            ends = [100 * end for end in pc.min_max(mine["value"]).as_py().values()]
            said.append(f"{NAMES[name]} {ends[0]:.1f} to {ends[1]:.1f} %")
    if not said:
        return ""
    largest = pc.max(rows["mcse"]).as_py()
    error = "" if largest is None else f" (Monte Carlo error up to {100 * largest:.1f} points)"
    return f"{_MEASURES[part.measure]}{_where(part)}: {', '.join(said)}{error}."


def _where(part: Beside) -> str:
    """Write which cells are meant, empty where all are."""
    said = []
    if part.clusters != CLUSTERS:
        said.append(f"{_listed(part.clusters)} clusters")
    if part.observations != OBSERVATIONS:
        said.append(f"{_listed(part.observations)} observations")
    if part.sigmas != SIGMAS:
        said.append(f"sigma {_listed(part.sigmas)}")
    return f" ({', '.join(said)})" if said else ""


def _listed(levels: Sequence[float]) -> str:
    """Write some levels, as in `0.1, 0.25 and 1`."""
    *first, last = (f"{level:g}" for level in levels)
    return f"{', '.join(first)} and {last}" if first else last


_ALL = range(len(NAMES))
_FALSE_POSITIVES = partial(Beside, "false_positive_rate")
_COVERAGE = partial(Beside, "coverage")

STATEMENTS = [
    Statement(
        "In one dataset of 50 clusters of 50 observations the intercept-only model looks far more "
        "significant than the maximal model, and cluster-robust slightly more conservative.",
        "T of intercept-only above 1.5 times, SE of cluster-robust above that of the maximal model",
        _worked_example,
        [_FALSE_POSITIVES((ROBUST, MAXIMAL, INTERCEPT))],
    ),
    Statement(
        "With much data that vary little, every strategy recovers the coefficients alike.",
        "100 × 100, sigma up to 1: largest err at most 1.15 times the smallest in each cell",
        partial(_alike, clusters=CLUSTERS[2:], sigmas=SIGMAS[:3]),
        [_COVERAGE(_ALL, CLUSTERS[2:], OBSERVATIONS[2:], SIGMAS[:3])],
    ),
    Statement(
        "When clusters vary, more clusters beat more observations.",
        "sigma 1 and above: err at 10 × 100 more than 1.5 times that at 100 × 5, by every strategy",
        _clusters_beat_observations,
        [_FALSE_POSITIVES(_ALL, CLUSTERS[:1], OBSERVATIONS[2:], SIGMAS[2:]), _NO_VARIANCE],
    ),
    Statement(
        "Even the maximal model recovers badly with few clusters that vary much.",
        "err of the maximal model at 10 × 100, sigma 4, more than 10 times that at 100 × 100, "
        "sigma 0.1",
        _few_variable_clusters,
        [_COVERAGE((MAXIMAL,), CLUSTERS[:1], OBSERVATIONS[2:], SIGMAS[4:])],
    ),
    Statement(
        "With few clusters that vary much, all strategies do badly.",
        "sigma 4, up to 30 clusters: err above 1 by every strategy in each cell",
        _all_badly,
        [_COVERAGE(_ALL, CLUSTERS[:2], OBSERVATIONS, SIGMAS[4:])],
    ),
    Statement(
        "Few observations per cluster hurt two-stage most.",
        "5 observations: mean err of two-stage more than 1.3 times the maximal model's, and a "
        "larger multiple than with 25 and with 100",
        _two_stage_hurt,
        [_NO_VARIANCE, _FALSE_POSITIVES((TWO_STAGE, MAXIMAL), CLUSTERS, OBSERVATIONS[:1])],
    ),
    Statement(
        "Few observations per cluster favour the maximal model, the more so the more clusters "
        "vary.",
        "5 observations: smallest err in at least 10 of 15 cells, and a mean advantage that is "
        "larger at sigma 4 than at sigma 0.1",
        _maximal_best,
        [
            _FALSE_POSITIVES((MAXIMAL,), CLUSTERS, OBSERVATIONS[:1]),
            _singular(MAXIMAL),
            _NO_VARIANCE,
        ],
    ),
    Statement(
        "With few observations per cluster, cluster-robust and intercept-only do alike.",
        "5 observations: ratio of their err between 0.9 and 1.1 in each of 15 cells",
        _robust_like_intercept,
        [_FALSE_POSITIVES((ROBUST, INTERCEPT), CLUSTERS, OBSERVATIONS[:1])],
    ),
    Statement(
        "With a medium number of observations cluster-robust is slightly worse across the board.",
        "25 observations: largest err in at least 10 of 15 cells",
        _robust_worst,
        [_COVERAGE(_ALL, CLUSTERS, OBSERVATIONS[1:2])],
    ),
    Statement(
        "With many observations per cluster all strategies do alike.",
        "100 observations: largest err at most 1.15 times the smallest in each of 15 cells",
        partial(_alike, clusters=CLUSTERS, sigmas=SIGMAS),
        [_FALSE_POSITIVES(_ALL, CLUSTERS, OBSERVATIONS[2:])],
    ),
    Statement(
        "Standard errors grow and test statistics fall as clusters vary more, whatever the numbers "
        "of clusters and observations.",
        "SE up and T down from each sigma to the next in all 9 panels, by every strategy",
        _monotone,
        [Beside("relative_error", _ALL)],
    ),
    Statement(
        "With few observations per cluster two-stage has the largest standard errors and the "
        "smallest test statistics.",
        "5 observations: largest SE and smallest T in at least 12 of 15 cells",
        _two_stage_unsure,
        [_FALSE_POSITIVES(_ALL, CLUSTERS, OBSERVATIONS[:1]), _NO_VARIANCE],
    ),
    Statement(
        "With few observations per cluster two-stage does not gain from more clusters.",
        "5 observations: mean T of two-stage, as a multiple of the maximal model's, smaller with "
        "100 than with 10 clusters",
        _two_stage_does_not_gain,
        [Beside("power", (TWO_STAGE, MAXIMAL), CLUSTERS, OBSERVATIONS[:1]), _NO_VARIANCE],
    ),
    Statement(
        "Where clusters vary, intercept-only has the largest test statistics and the smallest "
        "standard errors.",
        "sigma 1 and above: both in all 27 cells",
        _intercept_most_sure,
        [_FALSE_POSITIVES((INTERCEPT,), CLUSTERS, OBSERVATIONS, SIGMAS[2:])],
    ),
    Statement(
        "Intercept-only gains most from more observations.",
        "mean of T with 100 over T with 5 observations, larger than of each other strategy",
        _intercept_gains,
        [
            _FALSE_POSITIVES((INTERCEPT,), CLUSTERS, OBSERVATIONS[:1]),
            _FALSE_POSITIVES((INTERCEPT,), CLUSTERS, OBSERVATIONS[2:]),
        ],
    ),
    Statement(
        "Cluster-robust and the maximal model agree in inference.",
        "ratio of their T between 0.8 and 1.25 in at least 90 % of 45 cells",
        _robust_like_maximal,
        [_FALSE_POSITIVES((ROBUST, MAXIMAL))],
    ),
    Statement(
        "The intercept-only model never fails to converge.",
        "no fit that fails, by the rules of lme4 before and since version 1.1-19, which counts "
        "singular fits",
        _intercept_never_fails,
        [_singular(INTERCEPT)],
    ),
    Statement(
        "The maximal model fails when clusters vary little or have few observations.",
        "share of failed fits higher with sigma up to 0.25 than above, and with 5 observations "
        "than with more, by the rules of lme4 before and since version 1.1-19",
        _maximal_fails_where,
        [_singular(MAXIMAL)],
    ),
    Statement(
        "Two-stage or cluster-robust stand in better for the maximal model than the intercept-only "
        "model does.",
        "25 and 100 observations: mean |log of the ratio of SE to the maximal model's| of both "
        "smaller than of intercept-only",
        _stand_ins,
        [_FALSE_POSITIVES(_ALL, CLUSTERS, OBSERVATIONS[1:])],
    ),
]
"""In the order of their numbers."""

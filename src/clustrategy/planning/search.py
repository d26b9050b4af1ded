"""The search for the number of clusters at which each strategy has the power asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from clustrategy.evaluation.cell_verdicts import Judged
from clustrategy.evaluation.promises import Found
from clustrategy.evaluation.regions import MOST_UNUSABLE, UNDECIDED
from clustrategy.planning.curve import Needed, PowerCurve, Z, fit_curve
from clustrategy.planning.trials import Trials

PLACES = 6
"""Numbers of clusters that are tried first."""

FIRST, SECOND = 400, 1_000
"""Studies at each of these, and where the answer then seems to be."""

NARROW = 0.05
"""The interval of the answer is to reach no further than this share of it to either side."""

MOST = 5
"""Multiples of the sims asked for after which an interval stays as wide as it is, and a verdict
undecided."""

MOST_MOVES = 4
"""How often the answer may move once more."""


@dataclass(frozen=True)
class Search:
    """What is searched for.

    Attributes
    ----------
    first, last : int
        The fewest and the most clusters.
    power : float
        The power asked for.
    sims : int
        Studies at the answer.
    lost : int
        The degrees of freedom that coefficients between clusters take.
    """

    first: int
    last: int
    power: float
    sims: int
    lost: int

    @property
    def places(self) -> list[int]:
        """The numbers of clusters that are tried first, even steps of their root."""
        roots = np.linspace(np.sqrt(self.first), np.sqrt(self.last), PLACES)
        return sorted({int(round(root**2)) for root in roots})


@dataclass(frozen=True)
class Answer:
    """How many clusters a strategy needs.

    Attributes
    ----------
    strategy : str
        Its label.
    at : int
        The number of clusters, or the end of the range that is nearest to it.
    needed : Needed
        Where the fitted curve has the power asked for, and its band; NaN without a curve.
    where : str
        `within` the range that was searched, `below` or `above` it, `unknown` where the power does
        not rise, or `none` where only one number of clusters was asked about.
    power : Found
        That with `at` clusters: of the curve, which other numbers of clusters tell of, too, or
        without one as it was found.
    level : Judged
        Its false-positive rate there, and the verdict on it.
    unusable : float
        The share of its fits there that do not count.
    curve : PowerCurve, optional
        The curve.
    """

    strategy: str
    at: int
    needed: Needed
    where: str
    power: Found
    level: Judged
    unusable: float
    curve: PowerCurve | None

    @property
    def holds(self) -> bool:
        """Whether it holds its level with so many clusters, for certain."""
        return bool(self.level.safe)

    @property
    def clusters(self) -> int | None:
        """The number of clusters it needs; None without a sample size."""
        return self.at if self.holds and self.where in ("within", "below") else None

    @property
    def interval(self) -> tuple[int, float]:
        """The 95 % interval of the number of clusters, in whole clusters."""
        return int(whole(self.needed.low)), whole(self.needed.high)


def whole(clusters: float) -> float:
    """Return the clusters that are enough, where some part of one would be."""
    return float(np.ceil(clusters - 1e-6)) if np.isfinite(clusters) else np.inf


def search(trials: Trials, asked: Search, *, certify: bool = True) -> list[Answer]:
    """Find how many clusters each strategy needs.

    Studies are simulated with a few numbers of clusters, then where the fitted curve has the power
    asked for: `asked.sims` of them, or more until the interval is narrow and it is decided whether
    the strategy keeps its level there. Intervals of false-positive rates hold at every number of
    studies at once, so that they may be added.

    Parameters
    ----------
    trials : Trials
        What is simulated, and has been.
    asked : Search
        What is searched for.
    certify : bool
        Whether to simulate so many studies of the answer; else `SECOND` of them.

    Returns
    -------
    list of Answer
        In the order of the strategies.
    """
    labels = list(trials.strategies)
    sims = asked.sims if certify else min(SECOND, asked.sims)
    for clusters in asked.places:
        trials.extend(clusters, labels, min(FIRST, sims))
    if asked.first == asked.last:
        _decide(trials, dict.fromkeys(labels, asked.first), sims)
        return [_answer(trials, asked, label, asked.first) for label in labels]
    targets: dict[str, int] = {}
    for _ in range(MOST_MOVES):
        moved = _targets(trials, asked, labels)
        if moved == targets:
            break
        targets = moved
        _extend(trials, targets, min(SECOND, sims))
    for _ in range(MOST_MOVES if certify else 0):
        _extend(trials, targets, sims)
        for multiple in range(2, MOST + 1):
            wide = {label: targets[label] for label in labels if _is_wide(trials, asked, label)}
            _extend(trials, wide, multiple * sims)
        _decide(trials, targets, sims)
        moved = _targets(trials, asked, labels)
        if moved == targets:
            break
        targets = moved
    else:
        _extend(trials, targets, sims)
    return [_answer(trials, asked, label, targets[label]) for label in labels]


def _extend(trials: Trials, targets: Mapping[str, int], sims: int) -> None:
    for clusters in sorted(set(targets.values())):
        trials.extend(clusters, [one for one in targets if targets[one] == clusters], sims)


def _decide(trials: Trials, targets: Mapping[str, int], sims: int) -> None:
    """Simulate until it is decided whether the strategies keep their level, or there are many."""
    _extend(trials, targets, sims)
    for multiple in range(2, MOST + 1):
        undecided = {one: at for one, at in targets.items() if _is_undecided(trials, one, at)}
        _extend(trials, undecided, multiple * sims)


def _curve(trials: Trials, asked: Search, label: str) -> tuple[PowerCurve | None, Needed]:
    """Return the curve fitted near the answer, and where it has the power asked for."""
    alpha = trials.rules.regions.alpha
    points = trials.points(label)
    curve = fit_curve(points, asked.lost, alpha)
    if curve is None:
        return None, Needed(np.nan, np.nan, np.nan)
    for _ in range(2):
        near = float(np.clip(curve.needed(asked.power).value, asked.first, asked.last))
        curve = fit_curve(points, asked.lost, alpha, near) or curve
    return curve, curve.needed(asked.power)


def _place(asked: Search, needed: Needed, power: float) -> int:
    """Return the number of clusters to look at; `power` is that of the fewest."""
    if np.isnan(needed.value):
        return asked.first if power >= asked.power else asked.last
    return int(np.clip(whole(needed.value), asked.first, asked.last))


def _targets(trials: Trials, asked: Search, labels: Sequence[str]) -> dict[str, int]:
    found = {}
    for label in labels:
        power = trials.power(label, asked.places[0]).value
        found[label] = _place(asked, _curve(trials, asked, label)[1], power)
    return found


def _is_wide(trials: Trials, asked: Search, label: str) -> bool:
    """Tell whether the interval of an answer within the range is wider than is wanted."""
    _, needed = _curve(trials, asked, label)
    if not asked.first <= needed.value <= asked.last:
        return False
    reach = max(1.0, NARROW * needed.value)
    return needed.high - needed.value > reach or needed.value - needed.low > reach


def _is_undecided(trials: Trials, label: str, place: int) -> bool:
    """Tell whether more studies may decide if a strategy keeps its level."""
    level = trials.false_positives(label, place)
    undecided = level.verdict is not None and level.verdict.word == UNDECIDED
    return undecided and not level.safe and trials.unusable(label, place) <= MOST_UNUSABLE


def _answer(trials: Trials, asked: Search, label: str, at: int) -> Answer:
    if asked.first == asked.last:
        curve, needed, where = None, Needed(np.nan, np.nan, np.nan), "none"
    else:
        curve, needed = _curve(trials, asked, label)
        where = _where(asked, needed)
    return Answer(
        label,
        at,
        needed,
        where,
        _power(trials.power(label, at), curve, at),
        trials.false_positives(label, at),
        trials.unusable(label, at),
        curve,
    )


def _power(found: Found, curve: PowerCurve | None, at: int) -> Found:
    """Return the power of the curve with its band, or the one that was found."""
    if curve is None:
        return found
    value, low, high = (float(one[0]) for one in curve.power(np.array([float(at)])))
    return replace(found, value=value, low=low, high=high, mcse=(high - low) / (2 * Z))


def _where(asked: Search, needed: Needed) -> str:
    if np.isnan(needed.value):
        return "unknown"
    if whole(needed.value) > asked.last:
        return "above"
    return "below" if whole(needed.value) < asked.first else "within"

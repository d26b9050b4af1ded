"""How many sims a wanted Monte Carlo standard error takes.

The formulas are those of the measures' own MCSE, solved for n (docs/measures.md). A measure that is
a share needs the share that is expected, or the worst case. Any other needs the standard deviation
that is expected, or a pilot study: its sims times (its MCSE / the wanted one)².
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from os import PathLike, fspath
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from clustrategy.core.errors import ConfigError, DataError, nearest
from clustrategy.core.inference import CONFIDENCE
from clustrategy.core.validation import arguments, shown
from clustrategy.evaluation.measures import LEVEL, NAMES
from clustrategy.evaluation.wilson import ends

_ABOVE_0 = {"type": "number", "exclusiveMinimum": 0, "expected": "a number greater than 0"}
_ARGUMENTS = {
    "mcse": _ABOVE_0,
    "of": {"type": "string", "expected": "the name of a measure"},
    "sd": _ABOVE_0,
    "alpha": LEVEL,
    "pilot": {"type": "string", "expected": "the path of a performance.parquet"},
}

_BY_SD = {
    "bias": (1.0, 1, 0),
    "relative_bias": (1.0, 1, 0),
    "median_bias": (math.pi / 2, 1, 0),
    "empirical_se": (0.5, 1, 1),
    "mse": (2.0, 2, 0),
    "rmse": (0.5, 1, 0),
    "model_se": (1.0, 1, 0),
    "interval_width": (1.0, 1, 0),
    "interval_score": (1.0, 1, 0),
}
"""factor, power and more in n = factor (sd^power / mcse)² + more, for normal estimates."""


def _shares(alpha: float) -> dict[str, float]:
    """Return the share to be expected of measures that are one, 0.5 if it can be anything."""
    return {
        "coverage": CONFIDENCE,
        "bias_eliminated_coverage": CONFIDENCE,
        "rejection_rate": alpha,
        "power": 0.5,
        "unusable_rate": 0.5,
    }


def sims_for(mcse: float, of: str, sd: float | None = None, alpha: float = 0.05) -> int:
    """Return the sims of a cell that a wanted Monte Carlo standard error takes.

    Parameters
    ----------
    mcse : float
        The Monte Carlo standard error wanted.
    of : str
        The measure. `power` is a rejection rate in the worst case, `rejection_rate` that of a test
        that keeps its level.
    sd : float, optional
        The standard deviation over sims of the errors (for bias, median_bias, empirical_se, mse
        and rmse), of the errors as shares of the truth (relative_bias), of the standard errors
        (model_se), or of the intervals' widths or scores.
    alpha : float
        The level of the tests.

    Raises
    ------
    ConfigError
        If the measure is unknown or takes a pilot study, if `sd` is missing or not needed, if a
        number is not above 0, or if no number of sims is enough.
    """
    arguments({"mcse": mcse, "of": of, "alpha": alpha}, _ARGUMENTS, sd=sd)
    shares = _shares(alpha)
    if of in shares:
        if sd is not None:
            raise ConfigError(f"the sims for {of} need no sd: a share has its variance from itself")
        return _sims(lambda: shares[of] * (1 - shares[of]) / mcse**2)
    if of not in _BY_SD:
        known = [*shares, *_BY_SD]
        if of in NAMES:
            raise ConfigError(
                f"the sims for {of} follow from a pilot study alone; planned without are "
                f"{', '.join(known)}"
            )
        raise ConfigError(
            f"unknown measure {shown(of)}{nearest(of, known)}; known are {', '.join(known)}"
        )
    if sd is None:
        raise ConfigError(f"the sims for {of} need an 'sd', the standard deviation to be expected")
    factor, power, more = _BY_SD[of]
    return max(2, _sims(lambda: factor * (sd**power / mcse) ** 2 + more))


def _sims(compute: Callable[[], float]) -> int:
    """Return the next whole number; 1900.0000000000002 is 1900."""
    try:
        return max(1, math.ceil(compute() * (1 - 1e-9)))
    except (OverflowError, ZeroDivisionError):
        raise ConfigError("mcse is so small that no number of sims is enough") from None


def sims_for_verdict(
    cells: int,
    probability: float = 0.99,
    alpha: float = 0.05,
    upper: float = 1.3,
    confidence: float = 0.95,
) -> int:
    """Return the sims of a cell with which a strategy that keeps its level will be called safe.

    Parameters
    ----------
    cells : int
        In all of which it is to be called safe; they are independent.
    probability : float
        With which it is.
    alpha : float
        The level of its tests, which is also their size.
    upper : float
        The false-positive rate that the upper limit must not be above, as a multiple of alpha.
    confidence : float
        The level of that one-sided limit, Wilson's.

    Returns
    -------
    int
        The least number of two significant digits for which it holds. (The probability is jagged
        in the number of sims, since counts are whole.)

    Raises
    ------
    ConfigError
        If a number is out of range, or no number of sims is enough.

    Examples
    --------
    >>> from clustrategy.evaluation.sample_size import sims_for_verdict
    >>> sims_for_verdict(cells=1), sims_for_verdict(cells=45)
    (3800, 6300)
    """
    above_1 = {"type": "number", "exclusiveMinimum": 1, "expected": "a number greater than 1"}
    arguments(
        {
            "cells": cells,
            "probability": probability,
            "alpha": alpha,
            "upper": upper,
            "confidence": confidence,
        },
        {
            "cells": {"type": "integer", "minimum": 1, "expected": "a whole number of at least 1"},
            "probability": LEVEL,
            "alpha": LEVEL,
            "upper": above_1,
            "confidence": LEVEL,
        },
    )
    for digits in range(6):
        for leading in range(10, 100):
            sims = leading * 10**digits
            if safe_probability(sims, alpha, upper, confidence) ** cells >= probability:
                return sims
    raise ConfigError("upper is so near to 1 that no number of sims is enough")


def safe_probability(sims: int, alpha: float, upper: float, confidence: float) -> float:
    """Return the probability that a test of size alpha is called safe in one cell of so many sims.

    The parameters are those of `sims_for_verdict`.
    """
    from scipy.special import bdtr

    z = NormalDist().inv_cdf(confidence)
    most = min(sims, int(np.floor(sims * upper * alpha)))
    counts = np.arange(max(0, most + 1 - int(4 * z * np.sqrt(sims))), most + 1)
    _, limits = ends(counts / sims, sims, z)
    safe = counts[limits <= upper * alpha]
    return float(bdtr(safe[-1], sims, alpha)) if safe.size else 0.0


class Needed(NamedTuple):
    """What a pilot study found of a strategy and term in the cell that needs the most sims.

    Attributes
    ----------
    strategy, term, cell : str
        The fits.
    value, mcse : float
        The measure in the pilot study, and its Monte Carlo standard error.
    n : int
        The replicates that were used.
    sims : int
        The sims that the wanted Monte Carlo standard error takes.
    """

    strategy: str
    term: str
    cell: str
    value: float
    mcse: float
    n: int
    sims: int


def sims_by_pilot(mcse: float, of: str, pilot: str | PathLike[str]) -> list[Needed]:
    """Return the sims that a wanted Monte Carlo standard error takes, by a pilot study.

    The share of unusable fits is taken to be that of the pilot study.

    Parameters
    ----------
    mcse : float
        The Monte Carlo standard error wanted.
    of : str
        A measure of the table. `power` is the rejection rate of coefficients that are not 0,
        `rejection_rate` that of those that are.
    pilot : str or PathLike
        The `performance.parquet` of the pilot study.

    Returns
    -------
    list of Needed
        The worst cell of each strategy and term that has the measure.

    Raises
    ------
    ConfigError
        If the measure is unknown or `mcse` is not above 0.
    DataError
        If the file cannot be read, is no such table, lacks an MCSE of the measure, or has no
        coefficient that is (for rejection_rate) or is not (for power) always 0.
    """
    from clustrategy.tables.files import read_parquet
    from clustrategy.tables.frames import frame, numbers

    pilot = fspath(pilot) if isinstance(pilot, PathLike) else pilot
    arguments({"mcse": mcse, "of": of, "pilot": pilot}, _ARGUMENTS)
    measure = "rejection_rate" if of == "power" else of
    if measure not in NAMES:
        known = [*NAMES, "power"]
        raise ConfigError(
            f"unknown measure {shown(of)}{nearest(of, known)}; known are {', '.join(known)}"
        )
    if not pilot.endswith(".parquet"):
        raise ConfigError(f"a pilot must be the performance.parquet of a study, found {pilot!r}")
    if not Path(pilot).is_file():
        raise DataError(f"{pilot}: there is no such file; run the pilot study first")
    table = read_parquet(pilot)
    keys = ("strategy", "term", "true_value", "handling", "measure", "value", "mcse", "n", "note")
    missing = [key for key in keys if key not in table.column_names]
    if missing:
        raise DataError(f"{pilot}: has no column {missing[0]!r}; expected a performance.parquet")
    factors = table.column_names[: table.column_names.index("strategy")]
    checked = frame(table, pilot)
    for name in ("true_value", "value", "mcse", "n"):
        numbers(checked, name, pilot)
    everything = [row for row in table.to_pylist() if row["handling"] == "case_wise"]
    rows = [row for row in everything if row["measure"] == measure and row["mcse"] is not None]
    if measure == "rejection_rate":
        rows = [row for row in rows if (row["true_value"] == 0) != (of == "power")]
        if not rows:
            which, other = ("0", "power") if of != "power" else ("other than 0", "rejection_rate")
            raise DataError(
                f"{pilot}: has no coefficient whose true value is {which}; take {other}"
            )
    if not rows:
        raise DataError(f"{pilot}: has no Monte Carlo standard error of {of}")
    place = operator.itemgetter(*factors, "strategy", "term")
    sims = {place(row): row["n"] for row in everything if row["measure"] == "unusable_rate"}
    worst: dict[tuple[str, str], Needed] = {}
    for row in rows:
        if place(row) not in sims:
            raise DataError(f"{pilot}: has no unusable_rate of {row['strategy']}, {row['term']}")
        found = _needed(row, factors, mcse, sims[place(row)])
        key = (found.strategy, found.term)
        if key not in worst or found.sims > worst[key].sims:
            worst[key] = found
    return list(worst.values())


def _needed(row: Mapping[str, Any], factors: list[str], mcse: float, sims: int) -> Needed:
    """Return what a row of a pilot study with so many sims, unusable ones included, asks for."""
    cell = ", ".join(f"{factor}={row[factor]}" for factor in factors)
    wanted = _sims(lambda: sims * (row["mcse"] / mcse) ** 2)
    numbers = row["value"], row["mcse"], row["n"]
    return Needed(row["strategy"], row["term"], cell, *numbers, wanted)

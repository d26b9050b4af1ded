"""Axes of rates, stretched near the nominal level."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

TICKS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


def scale_rates(
    axes: Axes, end: float, level: float, inches: float, points: float, *, mirrored: bool
) -> None:
    """Scale a y axis by the square root of rates or, mirrored, of 1 less the rates.

    Parameters
    ----------
    axes : Axes
        The panel, or one of those that share the axis.
    end : float
        The rate at the far end of the axis or, mirrored, 1 less that rate.
    level : float
        The nominal rate or, mirrored, 1 less that rate.
    inches : float
        Height of a panel.
    points : float
        Font size of the tick labels.
    mirrored : bool
        Whether rates near 1 have the most room, instead of those near 0.
    """
    apart = 1.2 * points / 72 / inches * end**0.5
    ticks = [level]
    for tick in TICKS:
        if tick <= end and all(abs(tick**0.5 - other**0.5) >= apart for other in ticks):
            ticks.append(tick)
    # A little beyond the end, for marks that stand on it.
    length = 1.08 * end
    if mirrored:
        axes.set_yscale("function", functions=(_root_from_one, lambda y: 1 - np.square(y)))
        axes.set_ylim(1 - length, 1)
        ticks = [1 - tick for tick in ticks]
    else:
        axes.set_yscale("function", functions=(_root, np.square))
        axes.set_ylim(0, length)
    axes.yaxis.set_major_locator(FixedLocator(sorted(ticks)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:.4g}"))


def _root(rate: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(rate, 0))


def _root_from_one(rate: np.ndarray) -> np.ndarray:
    return -np.sqrt(np.maximum(1 - rate, 0))

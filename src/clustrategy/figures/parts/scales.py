"""Scales of axes: stretched near a target, or powers of ten with a place for zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, NullLocator

STEPS = (2, 5, 10, 20, 50, 75, 1)
"""Labels in units to either side of the target, and in hundreds of units."""

MARGIN = 0.03
FLOOR = 1e-17  # where a difference of zero is drawn


def label_ticks(axis: Axis, places: Sequence[float], write: Callable[[float], str]) -> None:
    """Label these places on an axis, and no others."""
    axis.set_major_locator(FixedLocator(places))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: write(value))


def stretch(
    axes: Axes,
    which: Literal["x", "y"],
    ends: tuple[float, float],
    *,
    target: float,
    unit: float,
    apart: float,
    write: Callable[[float], str],
    within: tuple[float, float] = (-np.inf, np.inf),
) -> None:
    """Scale an axis by the inverse hyperbolic sine of the distance from the target.

    So the axis is about linear near the target and logarithmic far from it, on both sides, and no
    value is beyond it.

    Parameters
    ----------
    axes, which : Axes, {"x", "y"}
        The panel, or one of those that share the axis, and the axis.
    ends : tuple of float
        The least and the largest value; the axis reaches a unit to either side at least.
    target, unit : float
        The value that is in the middle, and the distance up to which the axis is about linear.
    apart, write : float, callable
        The least distance between labels, as a share of the axis, and what writes a label.
    within : tuple of float
        The least and the largest possible value.
    """

    def place(value: np.ndarray) -> np.ndarray:
        return np.arcsinh((value - target) / unit)

    def value(place: np.ndarray) -> np.ndarray:
        return target + unit * np.sinh(place)

    low, high = np.clip([min(ends[0], target - unit), max(ends[1], target + unit)], *within)
    first, last = place(np.array([low, high]))
    margin = MARGIN * (last - first)
    labelled = [0.0]
    for step in [sign * step * power for power in (1, 100) for step in STEPS for sign in (-1, 1)]:
        at = float(np.arcsinh(step))
        free = min(abs(at - other) for other in labelled) >= apart * (last - first)
        if free and first - 1e-9 <= at <= last + 1e-9:
            labelled.append(at)
    getattr(axes, f"set_{which}scale")("function", functions=(place, value))
    getattr(axes, f"set_{which}lim")(*value(np.array([first - margin, last + margin])))
    label_ticks(getattr(axes, f"{which}axis"), value(np.sort(labelled)).tolist(), write)


def power_label(value: float) -> str:
    """Write a power of ten, and 0 for what stands for zero."""
    exponent = round(np.log10(value))
    return "0" if value <= FLOOR else f"1e{exponent}" if exponent else "1"


def label_powers(axis: Axis, exponents: range) -> None:
    """Label zero and powers of ten."""
    label_ticks(axis, [FLOOR, *10.0 ** np.array(exponents)], power_label)

"""Scales of axes: round numbers, stretched near a target, or powers of ten with one for zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

STEPS = (2, 5, 10, 20, 50, 75, 1)
"""Labels in units to either side of the target, and in hundreds of units."""

MARGIN = 0.03
THOUSANDS = 5  # powers of ten that are written in full
MOST_STEPS = 5  # between labels at round numbers
LETTER, BETWEEN, LEAD, OVER = 0.62, 0.7, 1.6, 0.3
"""In font sizes: a letter's width, the least room between labels beside and of those above each
other, and how far a label may stand over the end of an axis."""

FLOOR = 1e-17  # where a difference of zero is drawn


def label_ticks(axis: Axis, places: Sequence[float], write: Callable[[float], str]) -> None:
    """Label these places on an axis, and no others."""
    axis.set_major_locator(FixedLocator(places))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: write(value))


def hold_ticks(axis: Axis) -> None:
    """Hold the room for the labels that `round_ticks` is to write once the layout is settled."""
    label_ticks(axis, [float(np.mean(axis.get_view_interval()))], lambda _: "0")


def inches_across(axes: Axes) -> float:
    """Return the width of a panel."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return float(axes.get_position().width * figure.get_figwidth())


def round_ticks(axis: Axis, inches: float, points: float, *, upright: bool = False) -> None:
    """Label an axis, of settled limits, at round numbers, as many as there is room for.

    Parameters
    ----------
    axis : Axis
        A linear axis.
    inches, points : float
        Its length, and the font size of its labels.
    upright : bool
        Whether it is a y axis, whose labels stand above each other.
    """
    low, high = sorted(axis.get_view_interval())
    unit = 72 * inches / points / (high - low)
    best: list[float] = []
    write = plain_number
    for count in range(MOST_STEPS, 0, -1):
        locator = MaxNLocator(count, steps=[1, 2, 2.5, 4, 5, 10], min_n_ticks=1)
        places = np.asarray(locator.tick_values(low, high))
        step = places[1] - places[0]
        digits = int(np.clip(np.log10(np.abs(places).max() / step) + 2, 1, 15))
        written = partial(plain_number, digits=digits)
        inside = []
        size = LEAD if upright else 0.0
        for place in places[(low <= places) & (places <= high)].tolist():
            width = 0.0 if upright else LETTER * len(written(place))
            if width / 2 <= unit * min(place - low, high - place) + OVER:
                inside.append(place)
                size = max(size, width + BETWEEN)
        if size <= unit * step and len(inside) > len(best):
            best, write = inside, written
    label_ticks(axis, best, write)


def plain_number(value: float, digits: int = 6) -> str:
    """Write a number with so many significant digits at the most, as short as can be.

    Examples
    --------
    >>> plain_number(-0.25), plain_number(20.0), plain_number(3e6), plain_number(2e-7)
    ('−0.25', '20', '3e6', '2e−7')
    """
    head, mark, power = f"{value:.{digits}g}".partition("e")
    if mark and 0 <= int(power) < THOUSANDS:
        return f"{value:.0f}".replace("-", "−")
    return (head + (mark + str(int(power)) if mark else "")).replace("-", "−")


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

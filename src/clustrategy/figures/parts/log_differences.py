"""Axes of differences over many powers of ten, with a place for differences of zero."""

from __future__ import annotations

import numpy as np
from matplotlib.axis import Axis

from clustrategy.figures.parts.style import label_ticks

FLOOR = 1e-17  # where a difference of zero is drawn


def power_label(value: float) -> str:
    """Write a power of ten, and 0 for what stands for zero."""
    exponent = round(np.log10(value))
    return "0" if value <= FLOOR else f"1e{exponent}" if exponent else "1"


def label_powers(axis: Axis, exponents: range) -> None:
    """Label zero and powers of ten."""
    label_ticks(axis, [FLOOR, *10.0 ** np.array(exponents)], power_label)

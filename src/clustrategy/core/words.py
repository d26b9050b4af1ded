"""Numbers and lists as sentences and tables have them."""

from __future__ import annotations

import math
from collections.abc import Sequence


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits.

    Examples
    --------
    >>> number(0.0123456), number(1234.56), number(-2.0), number(1.5e-9)
    ('0.0123', '1235', '-2.00', '1.50e-09')
    """
    if not math.isfinite(value):
        return "" if math.isnan(value) else str(value)
    if value == 0.0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -4 <= size < 7:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{max(0, digits - 1 - size)}f}"


def p_value(value: float) -> str:
    """Return a p-value.

    Examples
    --------
    >>> p_value(0.0312), p_value(0.00004), p_value(0.5), p_value(0.0499)
    ('0.031', '< 0.001', '0.50', '0.0499')
    """
    if not math.isfinite(value):
        return ""
    if value < 0.001:
        return "< 0.001"
    if 0.0495 <= value < 0.0505:
        return f"{value:.4f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def decimals(sizes: Sequence[float], digits: int = 3) -> int:
    """Return how many decimals give the middle one of some sizes so many significant digits.

    Examples
    --------
    >>> decimals([0.0371, 0.0405, 1.2]), decimals([152.0]), decimals([])
    (4, 0, 3)
    """
    known = sorted(size for size in sizes if math.isfinite(size) and size > 0.0)
    if not known:
        return digits
    return max(0, digits - 1 - math.floor(math.log10(known[len(known) // 2])))


def fixed(value: float, places: int) -> str:
    """Return a number with so many decimals, in powers of ten where that would be unreadable.

    Examples
    --------
    >>> fixed(2.0969, 3), fixed(float("nan"), 3), fixed(1.2e13, 1), fixed(3.2e-12, 14)
    ('2.097', '', '1.20e+13', '3.20e-12')
    """
    if not math.isfinite(value):
        return "" if math.isnan(value) else str(value)
    return f"{value:.2e}" if abs(value) >= 1e9 or places > 9 else f"{value:.{places}f}"


def degrees(values: Sequence[float]) -> list[str]:
    """Return degrees of freedom, all with a decimal if one of the smaller ones is no whole number.

    Examples
    --------
    >>> degrees([9.0, 5.876, float("nan")]), degrees([26.0, float("inf")]), degrees([4321.7])
    (['9.0', '5.9', ''], ['26', 'inf'], ['4322'])
    """
    small = [value for value in values if math.isfinite(value) and value < 1000.0]
    places = 1 if any(value != round(value) for value in small) else 0
    return [
        "" if math.isnan(value) else f"{value:.{0 if value >= 1000.0 else places}f}"
        for value in values
    ]


def span(values: Sequence[float]) -> str:
    """Return the least and the largest of some numbers, or the one number that they are."""
    texts = [number(min(values)), number(max(values))]
    return texts[0] if texts[0] == texts[1] else f"{texts[0]} to {texts[1]}"


def p_span(values: Sequence[float]) -> str:
    """Return the least and the largest of some p-values.

    Examples
    --------
    >>> p_span([0.2, 0.012]), p_span([1e-9, 0.002]), p_span([1e-9, 1e-5])
    ('0.012 to 0.20', '0.002 or less', '< 0.001')
    """
    least, most = p_value(min(values)), p_value(max(values))
    if least == most:
        return least
    return f"{most} or less" if least.startswith("<") else f"{least} to {most}"

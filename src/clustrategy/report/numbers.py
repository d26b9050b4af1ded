"""Numbers as the page shows them."""

from __future__ import annotations

import math

ABSENT = "–"
"""Stands where there is no number; a note says why."""


def is_number(value: float | None) -> bool:
    """Tell whether there is a number: not null, and neither NaN nor infinite."""
    return value is not None and math.isfinite(value)


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share in percent.

    Examples
    --------
    >>> print(percent(0.05249), percent(1.0), percent(None))
    5.2 % 100.0 % –
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    return f"{100 * value:.{digits}f}".replace("-", "−") + " %"


def signed_percent(value: float | None) -> str:
    """Return a relative difference in percent, with its sign.

    Examples
    --------
    >>> print(signed_percent(-0.123), signed_percent(0.02))
    −12.3 % +2.0 %
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    return ("+" if value > 0 else "") + percent(value)


def points(value: float | None) -> str:
    """Return the Monte Carlo standard error of a share, in percentage points, in brackets.

    Examples
    --------
    >>> points(0.0098), points(None)
    ('(1.0)', '')
    """
    if value is None or not math.isfinite(value):
        return ""
    return f"({100 * value:.1f})"


def span(low: float | None, high: float | None) -> str:
    """Return two shares in percent.

    Examples
    --------
    >>> print(span(0.031, 0.124))
    3.1–12.4 %
    """
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ABSENT
    return f"{100 * low:.1f}–{percent(high)}"

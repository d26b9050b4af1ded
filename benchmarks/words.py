"""How the benchmarks write numbers."""

from __future__ import annotations


def digits(value: float) -> str:
    """Write three significant digits, with a comma between thousands."""
    return f"{float(f'{value:.3g}'):,g}"

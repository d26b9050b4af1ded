"""A table of the placebo check, written by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tests.figures.tables import STRATEGIES

PERMUTED = "permuted among clusters"
FLIPPED = "signs flipped by cluster"


def make_placebo(outside: bool = True) -> pd.DataFrame:
    """Two terms by three strategies; one rate is outside, and one strategy does not test `arm`."""
    rows: list[dict[str, Any]] = []
    for term, kind in (("time", FLIPPED), ("arm", PERMUTED)):
        for place, strategy in enumerate(STRATEGIES):
            far = outside and (term, place) == ("time", 1)
            rows.append(
                {
                    "term": term,
                    "strategy": strategy,
                    "placebo": kind,
                    "placebos": 50,
                    "outcomes": 99,
                    "rate": 0.44 if far else 0.08,
                    "expected": 0.05 + 0.01 * place,
                    "expected_mcse": 0.003,
                    "expected_low": 0.02,
                    "expected_high": 0.18,
                    "p_value": 0.02 if far else 0.42,
                    "p_value_all": 0.01 if far else 0.6,
                    "agrees": not far,
                    "note": "permuted within 2 groups of like size and leverage" * (term == "arm"),
                    "sentence": "",
                }
            )
    rows[-1] |= dict.fromkeys(["rate", "expected", "expected_mcse", "expected_low"])
    rows[-1] |= dict.fromkeys(["expected_high", "p_value", "p_value_all", "agrees"])
    rows[-1] |= {"outcomes": 0, "note": "the strategy does not test this coefficient"}
    return pd.DataFrame(rows)

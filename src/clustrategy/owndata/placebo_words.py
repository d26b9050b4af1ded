"""What the placebo check found, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clustrategy.core.counted import counted, listed
from clustrategy.core.words import p_value

LEVEL = 0.05
"""Of the check: its intervals have level 95 %."""

MOST_NAMED = 3


def sentence(row: Mapping[Any, Any]) -> str:
    """Say what a row of the check came to.

    Examples
    --------
    >>> row = {"term": "x", "strategy": "OLS", "rate": 0.31, "expected": 0.06, "p_value": 0.01}
    >>> row |= {"expected_low": 0.0, "expected_high": 0.15, "agrees": False}
    >>> row["p_value_all"] = 0.02
    >>> print(sentence(row))
    x, OLS: 31 % of placebos are rejected, more than the 0 to 15 % by the working model (p = 0.010).
    The working model does not describe these data: the false-positive rate it leads to is too low.
    >>> print(sentence(row | {"p_value_all": 0.2}))
    x, OLS: 31 % of placebos are rejected, more than the 0 to 15 % by the working model (p = 0.010),
    as chance lets happen in some row of so many (p = 0.20).
    >>> sentence(row | {"rate": 0.07, "p_value": 0.62, "agrees": True})
    'x, OLS: 7 % of placebos are rejected, as the working model has it (0 to 15 %, p = 0.62).'
    >>> sentence({"term": "x", "strategy": "OLS", "note": "no placebo: too few clusters"})
    'x, OLS: no placebo: too few clusters.'
    """
    whose = f"{row['term']}, {row['strategy']}: "
    if "rate" not in row:
        return f"{whose}{row['note']}."
    said = f"{whose}{_percent(row['rate'])} % of placebos are rejected, "
    ends = [_percent(row["expected_low"]), _percent(row["expected_high"])]
    between = f"{ends[0]} to {ends[1]} %" if ends[0] != ends[1] else f"{ends[0]} %"
    p = _equals(row["p_value"])
    if row["agrees"]:
        return f"{said}as the working model has it ({between}, {p})."
    more, rate = ("more", "low") if row["rate"] > row["expected_high"] else ("fewer", "high")
    said += f"{more} than the {between} by the working model ({p})"
    if row["p_value_all"] > LEVEL:
        chance = _equals(row["p_value_all"])
        return f"{said}, as chance lets happen in some row of so many ({chance})."
    return (
        f"{said}. The working model does not describe these data: the false-positive rate it leads "
        f"to is too {rate}."
    )


def finding(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Say whether the working model describes the data, by all rows of the check together.

    Parameters
    ----------
    rows : sequence of mapping
        Those of the table that have a rate.

    Returns
    -------
    str
        A sentence without its full stop.

    Examples
    --------
    >>> row = {"term": "x", "rate": 0.4, "expected": 0.05, "agrees": False, "p_value_all": 0.02}
    >>> print(finding([row]))
    The working model does not describe these data: placebos of x are rejected more often than it
    says
    """
    if not rows:
        return "No term of this table has a placebo that a strategy could test"
    outside = [row for row in rows if row["p_value_all"] <= LEVEL]
    if outside:
        names = list(dict.fromkeys(row["term"] for row in outside))
        terms = listed(names) if len(names) <= MOST_NAMED else f"{len(names)} coefficients"
        more = {row["rate"] > row["expected"] for row in outside}
        how = "otherwise" if len(more) > 1 else "more often" if more.pop() else "less often"
        return (
            f"The working model does not describe these data: placebos of {terms} are rejected "
            f"{how} than it says"
        )
    beyond = sum(not row["agrees"] for row in rows)
    if beyond:
        return (
            f"{beyond} of {counted(len(rows), 'placebo rate')} {'is' if beyond == 1 else 'are'} "
            "outside what the working model says, no more than chance explains"
        )
    return "Placebos are rejected on these data as often as the working model says"


def _equals(p: float) -> str:
    said = p_value(p)
    return f"p {said}" if said.startswith("<") else f"p = {said}"


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f}"

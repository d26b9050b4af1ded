"""Bars: random effects in lme4's notation, `(1 + x | school)`, in a formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clustrategy.core.errors import DataError
from clustrategy.core.validation import shown


@dataclass(frozen=True)
class Bars:
    """The random effects that a formula names.

    Attributes
    ----------
    random : tuple of str
        What stands before each bar, such as `1 + x`.
    cluster : str
        The column that stands behind them.
    correlated : bool
        Whether the random effects of a bar may correlate: `|`, not `||`.
    """

    random: tuple[str, ...]
    cluster: str
    correlated: bool


def split_bars(formula: str, named: str) -> tuple[str, Bars | None]:
    """Take the bars out of a formula.

    Parameters
    ----------
    formula : str
        In lme4's notation.
    named : str
        What messages call it.

    Returns
    -------
    formula : str
        The fixed effects.
    bars : Bars, optional
        None where there are none.

    Raises
    ------
    DataError
        If a bar is not a term of its own, or the bars name more than one column, or one that is no
        column's name alone.

    Examples
    --------
    >>> split_bars("score ~ age + (1 + age | school)", "the formula")
    ('score ~ age', Bars(random=('1 + age',), cluster='school', correlated=True))
    """
    from formulaic.parser.algos.tokenize import tokenize

    if "|" not in formula:
        return formula, None
    tokens = list(tokenize(formula))
    groups = _groups(tokens)
    if not groups:
        return formula, None
    found = [_read(formula, tokens, group, named) for group in groups]
    clusters = list(dict.fromkeys(one.cluster for one in found))
    if len(clusters) > 1:
        raise DataError(
            f"{named} has random effects by {clusters[0]!r} and by {clusters[1]!r}: one column of "
            "clusters is all that the strategies can take"
        )
    together = [one.correlated for one in found]
    if len(set(together)) > 1:
        raise DataError(f"{named} has both '|' and '||': write one of them")
    random = tuple(text for one in found for text in one.random)
    return _without(formula, tokens, groups, named), Bars(random, clusters[0], together[0])


Group = tuple[int, int, int]
"""The places of a bracket, its bar and the bracket that ends it among the tokens."""


def _groups(tokens: Sequence[Any]) -> list[Group]:
    """Find the brackets that have a bar in them and stand in none."""
    groups: list[Group] = []
    opened: list[int] = []
    bar = -1
    for place, token in enumerate(tokens):
        if token.token == "(" and token.kind.value == "context":
            opened.append(place)
        elif token.token == ")" and token.kind.value == "context" and opened:
            start = opened.pop()
            if not opened and bar >= 0:
                groups.append((start, bar, place))
                bar = -1
        elif token.kind.value == "operator" and token.token in ("|", "||") and len(opened) == 1:
            bar = place if bar < 0 else bar
    return groups


def _read(formula: str, tokens: Sequence[Any], group: Group, named: str) -> Bars:
    start, bar, end = group
    text = formula[tokens[start].source_start : tokens[end].source_end + 1]
    behind = tokens[bar + 1 : end]
    if len(behind) != 1 or behind[0].kind.value != "name":
        raise DataError(
            f"{named} has {shown(text)}: expected the name of one column behind the bar, as in "
            "'(1 + x | school)'"
        )
    before = formula[tokens[start].source_end + 1 : tokens[bar].source_start].strip()
    if not before:
        raise DataError(f"{named} has {shown(text)}: expected '1' or a predictor before the bar")
    return Bars((before,), behind[0].token, tokens[bar].token == "|")


def _without(formula: str, tokens: Sequence[Any], groups: Sequence[Group], named: str) -> str:
    """Return the formula without its bars and the plus signs that join them."""
    tilde = next((place for place, token in enumerate(tokens) if token.token == "~"), -1)
    for start, _, end in reversed(groups):
        before = tokens[start - 1].token if start else ""
        after = tokens[end + 1].token if end + 1 < len(tokens) else ""
        if start < tilde or before not in ("+", "~") or after not in ("+", "-", ""):
            text = formula[tokens[start].source_start : tokens[end].source_end + 1]
            raise DataError(f"{named} has {shown(text)}, which must be added by '+' to the rest")
        first, last = tokens[start].source_start, tokens[end].source_end + 1
        if before == "+":
            first, put = tokens[start - 1].source_start, ""
        elif after == "+":
            last, put = tokens[end + 1].source_end + 1, ""
        else:
            put = "1"
        formula = formula[:first].rstrip() + (f" {put} " if put else " ") + formula[last:].lstrip()
    formula = formula.strip()
    return f"{formula} 1" if formula.endswith("~") else formula

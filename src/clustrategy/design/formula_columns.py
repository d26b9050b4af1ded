"""Which columns a formula uses, and which of them as levels alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple


class Columns(NamedTuple):
    """The columns that a formula uses.

    Attributes
    ----------
    numbers : set of str
        Those that stand in it as they are, or in arithmetic: numbers, unless they are categories.
    levels : set of str
        Those that stand in it only as `C(column)`.
    """

    numbers: set[str]
    levels: set[str]


def columns(formula: Any, known: Collection[str]) -> Columns:
    """Find the columns that a parsed formula uses.

    Parameters
    ----------
    formula : formulaic.Formula
        With two sides, of one part each.
    known : collection of str
        The columns that there are. What is none of them may be the name of a function.

    Returns
    -------
    Columns
    """
    from formulaic.transforms import TRANSFORMS

    found: dict[bool, set[str]] = {False: set(), True: set()}
    for term in (*formula.lhs, *formula.rhs):
        for factor in term.factors:
            if factor.eval_method.value == "lookup":
                found[False].add(factor.expr)
            elif factor.eval_method.value == "python":
                for name, as_level in _names(factor.expr):
                    if name in known or name not in TRANSFORMS:
                        found[as_level].add(name)
    return Columns(found[False], found[True] - found[False])


def _names(expression: str) -> Iterator[tuple[str, bool]]:
    """Yield the names in a Python expression, and whether each is what `C` is called with."""
    quoted: list[str] = []

    def placeholder(match: re.Match[str]) -> str:
        quoted.append(match[1])
        return f"_quoted_{len(quoted) - 1}"

    tree = ast.parse(re.sub(r"`([^`]*)`", placeholder, expression), mode="eval")
    levels: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Name("C"), [first, *_]):
                levels.add(id(first))
            case ast.Call(ast.Name("Q"), [ast.Constant(str(name)), *_]):
                yield name, id(node) in levels
            case ast.Name(name):
                place = re.fullmatch(r"_quoted_(\d+)", name)
                yield quoted[int(place[1])] if place else name, id(node) in levels

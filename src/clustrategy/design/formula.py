"""Formulas: what one may consist of, checked before anything of it is computed.

formulaic computes Python. So a formula's parts are held against a list of what is allowed, on the
syntax tree, and its size is reckoned before its terms are spelt out.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from clustrategy.core.errors import DataError, nearest
from clustrategy.core.validation import shown
from clustrategy.design.bars import Bars, split_bars

LONGEST = 20_000
"""Characters of a formula."""

DEEPEST = 50
"""Brackets within brackets."""

MOST_TERMS = 1_000
"""Terms of a formula, products spelt out."""

MOST_PRODUCTS = 100_000
"""Products that a power of terms is spelt out as, before equal ones become one."""

LARGEST_POWER = 20
"""Of a term or a column."""

LARGEST = 1e15
"""Of the numbers in a formula."""

FUNCTIONS_ADDED = {"sqrt": np.sqrt}
"""What a formula may call that formulaic does not have."""

_CONTRASTS = ("treatment", "sum", "helmert", "poly", "diff", "SAS")
_NUMPY = ("log", "log2", "log10", "exp", "sqrt")
"""Which may also be written as `np.log` and so on."""

_STATEFUL = ("poly", "bs", "scale", "center")
"""Those that remember the data, in which formulaic does not find columns named by Q."""

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)


@dataclass(frozen=True)
class ReadFormula:
    """A formula that may be computed.

    Attributes
    ----------
    parsed : formulaic.Formula
        With a response and one right-hand side.
    numbers : set of str
        The columns that stand in it as they are, or in arithmetic: numbers, unless they are
        categories.
    levels : set of str
        The columns that stand in it only as `C(column)`.
    functions : set of str
        The functions that it calls.
    bars : Bars, optional
        The random effects, where it names them.
    """

    parsed: Any
    numbers: set[str]
    levels: set[str]
    functions: set[str]
    bars: Bars | None


def read_formula(formula: str) -> ReadFormula:
    """Check a formula and parse it; nothing of it is computed.

    Parameters
    ----------
    formula : str
        In Wilkinson notation, `DV ~ IV1 + IV2`: names, numbers, arithmetic and some functions; and,
        in lme4's, one bar of random effects, `(1 + IV1 | Group)`.

    Returns
    -------
    ReadFormula

    Raises
    ------
    DataError
        If it cannot be read, holds anything else, or is absurdly large.
    """
    from formulaic import Formula
    from formulaic.parser.algos.tokenize import tokenize

    named = f"the formula {shown(formula)}"
    if len(formula) > LONGEST:
        raise DataError(f"{named} has more than {LONGEST:,} characters")
    formula, bars = split_bars(formula, named)
    tokens = list(tokenize(formula))
    _check_tokens(tokens, named)
    found: dict[bool, set[str]] = {False: set(), True: set()}
    functions: set[str] = set()
    for token in tokens:
        if token.kind.value == "name":
            found[False].add(token.token)
        elif token.kind.value == "python":
            expression = _Expression(token.token, named)
            functions |= expression.functions
            for name, as_level in expression.columns:
                found[as_level].add(name)
    _check_size(_parse(formula), named)
    parsed = Formula(formula)
    if not hasattr(parsed, "lhs"):
        raise DataError(f"{named} has no response: expected 'y ~ x'")
    if len(parsed.rhs) == 0:
        raise DataError(f"{named} has no coefficient: expected 'y ~ x', or 'y ~ 1' for the mean")
    return ReadFormula(parsed, found[False], found[True] - found[False], functions, bars)


def read_random(random: str) -> list[Any]:
    """Check the random effects of a bar, such as `1 + IV1`, and return their terms.

    Raises
    ------
    DataError
        As `read_formula`.
    """
    from formulaic import Formula
    from formulaic.parser.algos.tokenize import tokenize

    named = f"the random effects {shown(random)}"
    if len(random) > LONGEST:
        raise DataError(f"{named} have more than {LONGEST:,} characters")
    if "~" in random:
        raise DataError(f"{named} have a '~': expected '1 + x'")
    tokens = list(tokenize(random))
    _check_tokens(tokens, named)
    for token in tokens:
        if token.kind.value == "python":
            _Expression(token.token, named)
    _check_size(_parse(random), named)
    return list(Formula(random))


def _parse(formula: str) -> Any:
    from formulaic.parser import DefaultFormulaParser

    return DefaultFormulaParser().get_ast(formula)


def _check_tokens(tokens: list[Any], named: str) -> None:
    """Check what stands between the columns and function calls."""
    depth = 0
    for token in tokens:
        text, kind = token.token, token.kind.value
        if kind == "context":
            depth += 1 if text in "([" else -1
            if text in "[]":
                raise DataError(f"{named} cannot be used: it has square brackets")
            if depth > DEEPEST:
                raise DataError(f"{named} has more than {DEEPEST} brackets within brackets")
        elif kind == "operator" and "|" in text:
            raise DataError(
                f"{named} has a '|' that is no bar of random effects in brackets, such as "
                "'(1 + x | school)'"
            )
        elif kind == "value" and text == ".":
            raise DataError(f"{named} has a '.': name the columns that are meant")
        elif kind == "value" and not text.isascii():
            raise DataError(f"{named} has the number {text!r} in digits that are not 0 to 9")
        elif kind == "value" and not re.fullmatch(r"\d{1,3}", text):
            raise DataError(
                f"{named} has {shown(text)} for a term: a number there is 0 or 1, or a small "
                "power; arithmetic stands in I(...)"
            )


def _check_size(tree: Any, named: str) -> None:
    """Check how many terms a formula has once its products and powers are spelt out."""
    counts: dict[int, int] = {}
    waiting = [tree]
    while waiting:
        node = waiting[-1]
        parts = [part for part in getattr(node, "args", ()) if hasattr(part, "operator")]
        unknown = [part for part in parts if id(part) not in counts]
        if unknown:
            waiting += unknown
            continue
        waiting.pop()
        if hasattr(node, "operator"):
            count = _count(node, [counts.get(id(part), 1) for part in node.args], named)
            if count > MOST_TERMS:
                raise DataError(f"{named} has more than {MOST_TERMS:,} terms")
            counts[id(node)] = count


def _count(node: Any, counts: list[int], named: str) -> int:
    """Count the terms of an operator at most."""
    symbol = node.operator.symbol
    if symbol in ("**", "^"):
        power = str(node.args[1])
        if not power.isdecimal() or not 1 <= int(power) <= LARGEST_POWER:
            raise DataError(
                f"{named} has the power {shown(power)}: expected a whole number from 1 to "
                f"{LARGEST_POWER}"
            )
        if counts[0] ** int(power) > MOST_PRODUCTS:
            return MOST_TERMS + 1
        return sum(math.comb(counts[0], k) for k in range(1, int(power) + 1))
    if symbol in ("*", "in", ":") and len(counts) == 2:
        return counts[0] * counts[1] + (0 if symbol == ":" else sum(counts))
    return sum(counts)


class _Expression:
    """A part of a formula that is Python, found to be harmless.

    Attributes
    ----------
    columns : list of (str, bool)
        The columns in it, and of each whether it is what `C` is called with.
    functions : set of str
        The functions that it calls.
    """

    def __init__(self, text: str, named: str) -> None:
        self.columns: list[tuple[str, bool]] = []
        self.functions: set[str] = set()
        self._text, self._named = text, named
        self._quoted: dict[str, str] = {}
        try:
            tree = ast.parse(re.sub(r"`([^`]*)`", self._placeholder, text), mode="eval")
            self._check(tree.body)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise DataError(f"{named} cannot be used: {shown(text)} is no expression") from None

    def _placeholder(self, match: re.Match[str]) -> str:
        placeholder = f"_quoted_{len(self._quoted)}_"
        self._quoted[placeholder] = match[1]
        return placeholder

    def _refuse(self, what: str) -> DataError:
        return DataError(
            f"{self._named} has {shown(self._text)}, where {what}; allowed are columns, numbers, "
            f"+ - * / **, and the functions {', '.join(_FUNCTIONS)}"
        )

    def _check(self, node: ast.expr, as_level: bool = False) -> None:
        """Check an expression of columns."""
        match node:
            case ast.Name(name):
                self.columns.append((self._quoted.get(name, name), as_level))
            case ast.Call(ast.Name("Q"), [ast.Constant(str(column))], []):
                self.functions.add("Q")
                self.columns.append((column, as_level))
            case ast.Constant() if _number(node) is not None:
                pass
            case ast.UnaryOp(ast.UAdd() | ast.USub(), operand):
                self._check(operand)
            case ast.BinOp(base, ast.Pow(), exponent):
                self._check_power(base, exponent)
            case ast.BinOp(left, operator, right) if isinstance(operator, _ARITHMETIC):
                self._check(left)
                self._check(right)
            case ast.Call(ast.Attribute(ast.Name("np"), name), [first], []) if name in _NUMPY:
                self.functions.add("np")
                self._check(first)
            case ast.Call(
                ast.Name(name), [ast.Call(ast.Name("Q"), [ast.Constant(str(column))], []), *_]
            ) if name in _STATEFUL:
                raise self._refuse(f"{name} takes a column in backticks, `{column}`, not by Q")
            case ast.Call(ast.Name(name), [first, *rest], keywords) if name in _FUNCTIONS:
                self.functions.add(name)
                self._check_call(name, rest, keywords)
                self._check(first, as_level=name == "C")
            case ast.Call(ast.Name(name)) if name in _FUNCTIONS:
                what = "one column by its name in quotes" if name == "Q" else "a column first"
                raise self._refuse(f"{name} takes {what}")
            case ast.Call(ast.Name(name)):
                hint = nearest(name, list(_FUNCTIONS))
                raise self._refuse(f"{name!r} is no function that a formula can call{hint}")
            case ast.Attribute():
                name = ast.unparse(node)
                raise self._refuse(
                    f"{shown(name)} is not allowed; a column of that name is `{name}`, in backticks"
                )
            case _:
                raise self._refuse(f"{shown(ast.unparse(node))} is not allowed")

    def _check_power(self, base: ast.expr, exponent: ast.expr) -> None:
        self._check(base)
        power = _size(exponent)
        columns = any(isinstance(node, ast.Name | ast.Call) for node in ast.walk(base))
        if not columns or power is None or power > LARGEST_POWER:
            raise self._refuse(
                f"a power must be that of a column, by a number of at most {LARGEST_POWER}"
            )

    def _check_call(self, name: str, rest: list[ast.expr], keywords: list[ast.keyword]) -> None:
        allowed = _FUNCTIONS[name]
        if len(rest) > len(allowed):
            raise self._refuse(f"{name} is called with too many arguments")
        given = [*zip(allowed, rest, strict=False), *((word.arg, word.value) for word in keywords)]
        for argument, value in given:
            if argument not in allowed:
                raise self._refuse(f"{name} takes no argument {argument!r}")
            if not allowed[argument](value):
                raise self._refuse(f"{argument!r} of {name} cannot be {shown(ast.unparse(value))}")


def _number(node: ast.expr) -> int | float | None:
    """Return a number that is written out, which has no sign; None where there is none."""
    match node:
        case ast.Constant(int(value) | float(value)) if not isinstance(value, bool):
            return value if value <= LARGEST else None
    return None


def _size(node: ast.expr) -> int | float | None:
    """Return a number without its sign; None where there is no number."""
    match node:
        case ast.UnaryOp(ast.UAdd() | ast.USub(), operand):
            return _number(operand)
    return _number(node)


def _signed(node: ast.expr) -> bool:
    return _size(node) is not None


def _truth(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def _label(node: ast.expr) -> bool:
    return _signed(node) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bool))


def _list_of(kind: Callable[[ast.expr], bool]) -> Callable[[ast.expr], bool]:
    def listed(node: ast.expr) -> bool:
        return isinstance(node, ast.List | ast.Tuple) and all(map(kind, node.elts))

    return listed


def _count_up_to(most: int) -> Callable[[ast.expr], bool]:
    def counted(node: ast.expr) -> bool:
        return _number(node) in range(most + 1)

    return counted


def _word(*words: str) -> Callable[[ast.expr], bool]:
    def one_of(node: ast.expr) -> bool:
        return isinstance(node, ast.Constant) and node.value in words

    return one_of


def _contrast(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(ast.Name("contr"), name):
            return name in _CONTRASTS
        case ast.Call(ast.Attribute(ast.Name("contr"), name), arguments, keywords):
            values = [*arguments, *(word.value for word in keywords)]
            named = all(word.arg in ("base", "reverse", "scale", "backward") for word in keywords)
            return name in _CONTRASTS and len(values) <= 2 and named and all(map(_label, values))
    return False


_FUNCTIONS: dict[str, dict[str | None, Callable[[ast.expr], bool]]] = {
    "C": {"contrasts": _contrast, "levels": _list_of(_label), "spans_intercept": _truth},
    "I": {},
    "Q": {},
    "log": {},
    "log2": {},
    "log10": {},
    "exp": {},
    "sqrt": {},
    "poly": {"degree": _count_up_to(20), "raw": _truth},
    "bs": {
        "df": _count_up_to(50),
        "knots": _list_of(_signed),
        "degree": _count_up_to(10),
        "include_intercept": _truth,
        "lower_bound": _signed,
        "upper_bound": _signed,
        "extrapolation": _word("raise", "clip", "na", "zero", "extend"),
    },
    "scale": {"center": _truth, "scale": _truth, "ddof": _count_up_to(1)},
    "center": {},
}
"""What a formula can call, and of each function the arguments that may follow the column."""

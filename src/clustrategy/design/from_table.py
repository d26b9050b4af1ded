"""Reading a design from a table by a formula."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.errors import DataError, RowsLeftOut, nearest
from clustrategy.core.fits import one_line
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.core.validation import described
from clustrategy.design.formula import FUNCTIONS_ADDED, ReadFormula, read_formula, read_random
from clustrategy.design.random_effects import RandomEffects
from clustrategy.tables.frames import (
    check_no_stray_text,
    check_one_kind,
    frame,
    is_text,
    numbers,
)

if TYPE_CHECKING:
    import pandas as pd

WHAT = "the data"


@dataclass(frozen=True)
class Design:
    """A table as the strategies see it: one dataset, and what it was read from.

    Attributes
    ----------
    shard : Shard
        One dataset, its rows sorted by cluster.
    formula : str
        As it was given.
    response : str
        What the formula has on the left.
    cluster : str
        The column of the clusters.
    names : tuple of str
        The names of the clusters, in the order of the shard.
    terms : dict of str to tuple of int
        The terms of the formula but the intercept, and the columns of X that each has.
    contrasts : dict of str to str
        Of the coefficients of categories, what is compared with what.
    random : RandomEffects, optional
        The random effects, where the formula or the call names them.
    rows_read : int
        The rows of the table.
    left_out : dict of str to int
        The columns that lack values, and in how many rows.
    """

    shard: Shard
    formula: str
    response: str
    cluster: str
    names: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    contrasts: dict[str, str]
    random: RandomEffects | None
    rows_read: int
    left_out: dict[str, int]

    @property
    def rows_left_out(self) -> int:
        """The rows of the table that lack a value in a column of the model."""
        return self.rows_read - self.shard.y.size

    @property
    def said_of_rows(self) -> str:
        """A sentence on the rows that are left out, empty where none are."""
        if not self.rows_left_out:
            return ""
        return (
            f"{self.rows_left_out:,} of {self.rows_read:,} rows of the data are left out: they "
            f"have no value in {', '.join(self.left_out)}"
        )

    def warn_of_rows(self) -> None:
        """Warn where rows are left out, at the line that called the function which asks for it."""
        if self.said_of_rows:
            warnings.warn(self.said_of_rows, RowsLeftOut, stacklevel=3)


def columns_of(formula: str, cluster: str | None = None, order: str | None = None) -> list[str]:
    """Return the columns that a formula, its clusters and their order need, alphabetically.

    Raises
    ------
    DataError
        If the formula cannot be read.
    """
    used = _read_formula(formula)
    further = {name for name in (cluster_of(formula, cluster), order) if name}
    return sorted(used.numbers | used.levels | further)


def cluster_of(formula: str, cluster: str | None = None) -> str | None:
    """Return the column of the clusters: that of a bar in the formula, or else the one named.

    Raises
    ------
    DataError
        If the formula cannot be read.
    """
    bars = _read_formula(formula).bars
    return cluster if bars is None else bars.cluster


def design_from_table(
    data: object, formula: str, cluster: str | None = None, random: str | None = None
) -> Design:
    """Read the design of a formula from a table.

    Parameters
    ----------
    data : DataFrame or other table
        A row per observation, in whatever `frame` takes. Rows with a missing value in a column of
        the model are left out.
    formula : str
        In Wilkinson notation, `DV ~ IV1 + IV2`, with or without bars of random effects. Columns
        that hold numbers or truth values, of any type, are 64-bit floats before anything is
        computed of them; text and categories are categories.
    cluster : str, optional
        The column that says which cluster a row belongs to; bars say it, too, and overrule it.
    random : str, optional
        The random effects, such as `1 + IV1`; bars overrule it.

    Returns
    -------
    Design

    Raises
    ------
    DataError
        If the data are no table, a column is missing or holds what is neither numbers nor text, no
        row is complete, or the formula or the random effects cannot be read.
    """
    import pandas as pd

    table = frame(data, WHAT)
    used = _read_formula(formula)
    if used.bars is not None:
        cluster = used.bars.cluster
    if cluster is None:
        raise DataError(
            f"the formula {formula!r} does not say what the clusters are: name their column by "
            "'cluster', or by a bar, as in '+ (1 | school)'"
        )
    if cluster not in table.columns:
        known = list(table.columns)
        raise DataError(
            f"the data have no column {cluster!r} for the clusters{nearest(cluster, known)}; they "
            f"have {', '.join(known)}"
        )
    with _plainly(formula):
        called = sorted(used.functions & (used.numbers | used.levels))
        if called:
            raise DataError(
                f"the formula {formula!r} calls {called[0]!r}, which is a column of its own, too; "
                "give the column another name"
            )
        missing = sorted((used.numbers | used.levels) - set(table.columns))
        if missing:
            known = list(table.columns)
            raise DataError(
                f"the data have no column {missing[0]!r}, which {formula!r} uses"
                f"{nearest(missing[0], known)}; they have {', '.join(known)}"
            )
        model = pd.DataFrame({name: _values(table, name) for name in sorted(used.numbers)})
        for name in sorted(used.levels):
            check_one_kind(table, name, WHAT)
            model[name] = table[name]
        check_one_kind(table, cluster, WHAT)
        complete, left_out = _complete(model.assign(**{cluster: table[cluster]}))
        if not complete.any():
            gaps = ", ".join(f"{name!r} in {count:,}" for name, count in left_out.items())
            of = f" ({gaps} of {len(table):,} rows have none)" if gaps else ""
            raise DataError(f"no row of the data has a value in every column of {formula!r}{of}")
        codes, names = _clusters(table[cluster][complete])
        rows = model[complete].iloc[np.argsort(codes, kind="stable")].copy()
        for column in rows.select_dtypes("category"):
            rows[column] = rows[column].cat.remove_unused_categories()
        response, matrix = used.parsed.get_model_matrix(
            rows, output="pandas", na_action="raise", context=FUNCTIONS_ADDED
        )
        y, X = _numbers(response, formula), _numbers(matrix, formula)
    kinds = {kind.value for kind, _ in response.model_spec.encoder_state.values()}
    if y.shape[1] != 1 or "categorical" in kinds:
        raise DataError(f"the response of {formula!r} must be one column of numbers")
    coefficients = _coefficients(matrix)
    return Design(
        shard=Shard(y[:, 0], X, np.bincount(codes)[None, :].astype(np.int64), coefficients),
        formula=formula,
        response=str(used.parsed.lhs[0]),
        cluster=cluster,
        names=tuple(str(name) for name in names),
        terms=_terms(matrix),
        contrasts=_contrasts(matrix),
        random=_random(used, random, matrix, coefficients),
        rows_read=len(table),
        left_out=left_out,
    )


def _read_formula(formula: str) -> ReadFormula:
    with _plainly(formula):
        return read_formula(formula)
    raise AssertionError  # `_plainly` passes on whatever it catches as another error.


@contextmanager
def _plainly(formula: str) -> Iterator[None]:
    """Make one sentence of whatever is thrown."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        # formulaic passes on whatever Python or pandas threw, and marks the place in colour.
        plain = one_line(re.sub(r"\x1b\[[0-9;]*m", "", str(error)))
        if gap := re.search(r"`([^`]*)` contains null values after evaluation", plain):
            raise DataError(
                f"{gap[1]!r} is not a number in some rows: leave these out, or take another "
                "transformation"
            ) from None
        if "insuffi" in plain:  # formulaic's word, which it misspells
            plain = "an operator has nothing on one of its sides"
        raise DataError(f"the formula {formula!r} cannot be used: {plain}") from None


def _values(table: pd.DataFrame, name: str) -> Any:
    """Return a column as formulaic is to see it: numbers, text or categories."""
    import pandas as pd

    values = table[name]
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values
    if not is_text(values):
        return numbers(table, name, WHAT)
    check_no_stray_text(table, name, WHAT)
    return values.astype(object)


def _complete(model: pd.DataFrame) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Tell which rows, (rows,), have a value in every column, and how many lack which."""
    missing = model.isna()
    counts = {str(name): int(count) for name, count in missing.sum().items() if count}
    return ~missing.any(axis=1).to_numpy(dtype=bool), counts


def _clusters(values: pd.Series[Any]) -> tuple[Ints, Sequence[Any]]:
    """Return the cluster of each row as a number, and the names of the clusters."""
    import pandas as pd

    try:
        codes, names = pd.factorize(values, sort=True)
    except TypeError:
        odd = next((value for value in values if not isinstance(value, Hashable)), values.iloc[0])
        raise DataError(
            f"the column {values.name!r} of the data must hold the names of clusters, found "
            f"{described(odd)}"
        ) from None
    return codes, list(names)


def _numbers(matrix: pd.DataFrame, formula: str) -> Floats:
    if any(dtype.kind == "c" for dtype in matrix.dtypes):
        raise DataError(f"the formula {formula!r} makes complex numbers")
    return np.ascontiguousarray(matrix.to_numpy(dtype=np.float64))


def _coefficients(matrix: pd.DataFrame) -> tuple[str, ...]:
    """Return the names of the coefficients."""
    for term in matrix.model_spec.structure:
        if not term.columns:
            raise DataError(f"the term {str(term.term)!r} has a single level: it has no effect")
    named = Counter(name for term in matrix.model_spec.structure for name in term.columns)
    name, times = next(iter(named.most_common(1)), ("", 0))
    if times > 1:
        raise DataError(
            f"two terms of the formula have the name {name!r}; give a column another name"
        )
    return tuple(INTERCEPT if name == "Intercept" else str(name) for name in matrix.columns)


def _terms(matrix: pd.DataFrame) -> dict[str, tuple[int, ...]]:
    """Return the terms but the intercept, and the columns of each."""
    places = {name: place for place, name in enumerate(matrix.columns)}
    return {
        str(term.term): tuple(places[name] for name in term.columns)
        for term in matrix.model_spec.structure
        if str(term.term) != "1"
    }


def _contrasts(matrix: pd.DataFrame) -> dict[str, str]:
    """Return what the coefficients of single categories compare, where the first is the base."""
    found: dict[str, str] = {}
    for factor, (kind, state) in matrix.model_spec.encoder_state.items():
        if kind.value != "categorical":
            continue
        base, *levels = state["contrasts"].levels
        found |= {f"{factor}[T.{level}]": f"{level} against {base}" for level in levels}
    return {name: words for name, words in found.items() if name in matrix.columns}


def _random(
    used: ReadFormula, random: str | None, matrix: pd.DataFrame, coefficients: Sequence[str]
) -> RandomEffects | None:
    """Return the random effects that the bars, or else the call, name."""
    if used.bars is None and random is None:
        return None
    texts = used.bars.random if used.bars is not None else (str(random),)
    known = {term.term: term.columns for term in matrix.model_spec.structure}
    places = {name: place for place, name in enumerate(matrix.columns)}
    categories = {
        factor
        for factor, (kind, _) in matrix.model_spec.encoder_state.items()
        if kind.value == "categorical"
    }
    blocks = []
    for text in texts:
        with _plainly(text):
            terms = read_random(text)
        for term in terms:
            if term not in known:
                fixed = ", ".join(map(str, known))
                raise DataError(
                    f"the random effect {str(term)!r} needs the same term among the fixed effects"
                    f"{nearest(str(term), list(map(str, known)))}; those are {fixed}"
                )
            if used.bars is not None and not used.bars.correlated and len(known[term]) > 1:
                raise DataError(
                    f"the random effects {text!r} have categories before '||': write '|', or make "
                    "a column of 0 and 1 for each category"
                )
        if "1" not in map(str, terms) and any(
            str(factor) in categories for term in terms for factor in term.factors
        ):
            raise DataError(
                f"the random effects {text!r} have categories without an intercept: write '1 + ' "
                "before them"
            )
        blocks.append([coefficients[places[name]] for term in terms for name in known[term]])
    return RandomEffects.of(blocks, used.bars is None or used.bars.correlated, texts)

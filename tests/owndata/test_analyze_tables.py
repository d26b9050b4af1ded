"""Tables of every kind: `analyze` is right, or says in one sentence what is wrong."""

from __future__ import annotations

import datetime
import decimal
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from clustrategy import analyze
from clustrategy.core.errors import ClustrategyError, RowsLeftOut
from clustrategy.core.shard import Floats
from tests.containers import CONTAINERS, assert_same, snapshot

ROWS = 24
RNG = np.random.default_rng(12)
# 64-bit floats, whole and positive, so that most types hold them.
BASE = pd.DataFrame(
    {
        "g": np.repeat([1.0, 2, 3, 4], 6),
        "x": RNG.integers(20, 120, ROWS).astype(float),
        "z": RNG.integers(1, 100, ROWS).astype(float),
        "u": RNG.integers(0, 120, ROWS).astype(float),
    }
)
BASE["y"] = np.round(BASE["x"] / 4 + RNG.normal(size=ROWS) * 5 + 40)

DESIGNS: dict[str, Callable[[pd.DataFrame], list[Any]]] = {
    "y ~ x": lambda d: [d.x],
    "y ~ x * z": lambda d: [d.x, d.z, d.x * d.z],
    "y ~ I(-u) + z": lambda d: [-d.u, d.z],
    "y ~ I(x - u)": lambda d: [d.x - d.u],
    "y ~ I(x * z * u)": lambda d: [d.x * d.z * d.u],
    "y ~ I(x ** 3)": lambda d: [d.x**3],
    "y ~ log(x) + Q('z')": lambda d: [np.log(d.x), d.z],
    "y ~ x:u": lambda d: [d.x * d.u],
    "I(y * y) ~ x": lambda d: [d.x],
}


def least_squares(y: Floats, predictors: list[Any]) -> pd.DataFrame:
    """Estimates, standard errors and p-values by the normal equations of scaled columns."""
    X = np.column_stack([np.ones(len(y)), *predictors])
    scale = np.linalg.norm(X, axis=0)
    inverse = np.linalg.inv((X / scale).T @ (X / scale))
    estimate = inverse @ (X / scale).T @ y
    df = len(y) - X.shape[1]
    residual = y - (X / scale) @ estimate
    std_error = np.sqrt(residual @ residual / df * np.diag(inverse))
    p_value = 2 * t.sf(np.abs(estimate / std_error), df)
    return pd.DataFrame(
        {"estimate": estimate / scale, "std_error": std_error / scale, "p_value": p_value}
    )


def assert_right(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert set(found["status"]) == {"ok"}
    for column in expected:
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-8, err_msg=column)


def ols(data: Any, formula: str, **arguments: Any) -> pd.DataFrame:
    """`analyze` by least squares; the table is the same afterwards."""
    before = snapshot(data)
    try:
        return analyze(data, formula, **{"cluster": "g", "strategies": ["ols"], **arguments})
    finally:
        assert_same(data, before)


# --- numbers of every type -----------------------------------------------------------------

CASTS: dict[str, Callable[[pd.Series], Any]] = {
    **{
        kind: lambda s, kind=kind: s.astype(kind)
        for kind in (
            *("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
            *("float16", "float32", "float64", "longdouble"),
            *("Int8", "UInt8", "Int64", "Float32", "Sparse[int8]"),
        )
    },
    **{
        f"arrow {kind}": lambda s, kind=kind: s.astype(pd.ArrowDtype(kind))
        for kind in (pa.int8(), pa.uint8(), pa.int64(), pa.float32(), pa.decimal128(30, 1))
    },
    "objects": lambda s: s.astype(object),
    "whole objects": lambda s: pd.Series([int(v) for v in s], s.index, dtype=object),
    "NumPy objects": lambda s: pd.Series([np.int8(v) for v in s], s.index, dtype=object),
    "decimals": lambda s: pd.Series([decimal.Decimal(int(v)) for v in s], s.index),
}


@pytest.mark.parametrize("kind", CASTS)
def test_numbers_of_any_type_are_numbers(kind: str) -> None:
    """Products of small integers wrapped; numbers held as objects became dummies."""
    data = BASE.assign(**{name: CASTS[kind](BASE[name]) for name in ("x", "z", "u")})
    for formula in ("y ~ x * z", "y ~ I(-u) + z"):
        found = ols(data, formula)
        assert_right(found, least_squares(BASE["y"].to_numpy(), DESIGNS[formula](BASE)))


tables = st.fixed_dictionaries(
    {name: st.sampled_from(list(CASTS)) for name in ("x", "z", "u", "y")}
)
frames = [kind for kind in CONTAINERS if kind.startswith("frame")]


@given(
    kinds=tables,
    container=st.sampled_from(frames),
    formula=st.sampled_from(list(DESIGNS)),
    order=st.permutations(range(ROWS)),
    gaps=st.dictionaries(st.sampled_from("xzuyg"), st.integers(0, ROWS - 1), max_size=3),
)
def test_any_table_of_numbers(
    kinds: dict[str, str],
    container: str,
    formula: str,
    order: list[int],
    gaps: dict[str, int],
) -> None:
    data = BASE.assign(**{name: CASTS[kind](BASE[name]) for name, kind in kinds.items()})
    for name, row in gaps.items():
        data[name] = data[name].astype(object)
        data.loc[row, name] = [None, np.nan, pd.NA][row % 3]
    used = [name for name in "xzuyg" if re.search(rf"\b{name}\b", formula + " g")]
    left = BASE.drop(index=[row for name, row in gaps.items() if name in used]).reset_index()
    data = CONTAINERS[container](data.iloc[order])
    y = left["y"] ** 2 if formula.startswith("I(y") else left["y"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = ols(data, formula)
    assert_right(found, least_squares(y.to_numpy(), DESIGNS[formula](left)))
    assert found.attrs == {"rows": len(left), "rows_left_out": ROWS - len(left)}
    said = [str(w.message) for w in caught if w.category is RowsLeftOut]
    assert len(said) == (len(left) < ROWS)
    if said:
        lacking = sorted(set(gaps) & set(used))
        out = f"{ROWS - len(left)} of {ROWS} rows of the data are left out: they have no value in "
        assert said[0].startswith(out)
        assert sorted(said[0].removeprefix(out).split(", ")) == lacking


@pytest.mark.parametrize("kind", CONTAINERS)
def test_all_that_holds_tables(kind: str) -> None:
    """The same numbers to the last bit."""
    whole = BASE.astype("int8")
    found = ols(CONTAINERS[kind](whole), "y ~ x * z")
    pd.testing.assert_frame_equal(found, ols(BASE, "y ~ x * z"))


def test_gaps_in_the_numbers_of_other_libraries() -> None:
    gap = [None, *map(int, BASE["x"][1:])]
    table = pa.table({**{name: BASE[name] for name in "gy"}, "x": pa.array(gap, pa.int8())})
    with pytest.warns(RowsLeftOut, match="^1 of 24 rows of the data .* no value in x$"):
        found = ols(table, "y ~ I(x ** 3)")
    rest = BASE[1:]
    assert_right(found, least_squares(rest["y"].to_numpy(), [rest["x"] ** 3]))


@pytest.mark.parametrize("kind", ["bool", "boolean", "object", pd.ArrowDtype(pa.bool_())], ids=str)
def test_truth_values_are_0_and_1(kind: Any) -> None:
    large = BASE["x"] > 60
    found = ols(BASE.assign(b=large.astype(kind)), "y ~ b + z:b")
    assert list(found["term"]) == ["(Intercept)", "b", "z:b"]
    assert_right(found, least_squares(BASE["y"].to_numpy(), [large, BASE["z"] * large]))
    found = ols(BASE.assign(y=large.astype(kind)), "y ~ z")
    assert_right(found, least_squares(large.to_numpy(dtype=float), [BASE["z"]]))


WORDS = np.where(BASE["x"] > 60, "large", "small")


@pytest.mark.parametrize(
    "words",
    [
        WORDS,
        WORDS.astype(object),
        pd.array(WORDS, dtype="string"),
        pd.array(WORDS, dtype=pd.ArrowDtype(pa.string())),
        pd.Categorical(WORDS),
        pd.Categorical(WORDS, categories=["large", "none", "small"]),
        pd.array(pa.array(WORDS).dictionary_encode(), dtype=None),
    ],
    ids=["str", "object", "string", "arrow", "category", "unused level", "dictionary"],
)
def test_text_and_categories_are_categories(words: Any) -> None:
    found = ols(BASE.assign(w=words), "y ~ w + z")
    assert list(found["term"]) == ["(Intercept)", "w[T.small]", "z"]
    small = WORDS == "small"
    assert_right(found, least_squares(BASE["y"].to_numpy(), [small, BASE["z"]]))


@pytest.mark.parametrize("kind", ["int8", "Int8", "object", "int64"])
def test_levels_of_whole_numbers_keep_their_names(kind: str) -> None:
    third = (BASE["x"] % 3).astype(int)
    for formula, name in (("y ~ C(k)", "k"), ("y ~ C(`k k`)", "k k"), ("y ~ C(Q('k k'))", "k k")):
        found = ols(BASE.assign(**{name: third.astype(kind)}), formula)
        head = formula.removeprefix("y ~ ")
        assert list(found["term"]) == ["(Intercept)", f"{head}[T.1]", f"{head}[T.2]"]
        assert_right(found, least_squares(BASE["y"].to_numpy(), [third == 1, third == 2]))


@pytest.mark.parametrize("name", ["a.b", "2nd x", "x-y", "ä", "~", "[x]", "a:b", "_place"])
def test_columns_of_any_name(name: str) -> None:
    data = BASE.astype("int8").assign(a=np.nan)
    data[name] = data["x"]
    for formula in (f"y ~ I(`{name}` * z)", f"y ~ `{name}`:z"):
        found = ols(data, formula)
        assert_right(found, least_squares(BASE["y"].to_numpy(), [BASE["x"] * BASE["z"]]))
        assert found.attrs["rows_left_out"] == 0


@pytest.mark.parametrize(
    "names",
    [
        [*"abcd"],
        [9, 8, 7, 6],
        [2**60, 2**60 + 1, 2**60 + 2, 2**60 + 3],
        [0.5, 1.5, np.inf, -1],
        pd.to_datetime(["2020", "2021", "2019", "1999"]),
        [("a", 1), ("a", 2), ("b", 1), ("b", 2)],
        pd.Categorical([*"dcba"], categories=[*"xdcba"]),
        ["1", "2", "10", "01"],
    ],
    ids=str,
)
def test_clusters_of_any_name(names: Any) -> None:
    one = pd.Series(names if not isinstance(names, list) else pd.Series(names, dtype=object))
    data = BASE.assign(g=one.repeat(6).reset_index(drop=True))
    order = np.random.default_rng(1).permutation(ROWS)
    found, expected = (
        ols(table, "y ~ x", strategies=["cluster_robust"]) for table in (data.iloc[order], BASE)
    )
    columns = ["estimate", "std_error", "df", "p_value"]
    np.testing.assert_allclose(found[columns], expected[columns], rtol=1e-10)


@pytest.mark.parametrize("power", [-300, -200, -160, -71, 71, 160, 200, 290])
@pytest.mark.parametrize("name", ["x", "y"])
def test_numbers_out_of_all_proportion_have_no_fit(name: str, power: int) -> None:
    """It was `ok` with a standard error that was infinite, 0 or of few digits."""
    data = BASE.assign(**{name: BASE[name] * 10.0**power})
    found = ols(data, "y ~ x", strategies=["ols", "cluster_robust", "mixed_intercept"])
    assert set(found["status"]) == {"undefined"}
    assert set(found["message"]) == {
        "the numbers of a column are so large or small that products lose digits: rescale it"
    }
    assert found[["estimate", "std_error", "df", "p_value"]].isna().all(axis=None)


@pytest.mark.parametrize("power", [-66, -30, 30, 66])
@pytest.mark.parametrize("name", ["x", "y"])
def test_units_do_not_matter(name: str, power: int) -> None:
    data = BASE.assign(**{name: BASE[name] * 10.0**power})
    strategies = ["ols", "cluster_robust"]
    found, expected = (ols(table, "y ~ x", strategies=strategies) for table in (data, BASE))
    np.testing.assert_allclose(found["p_value"], expected["p_value"], rtol=1e-9)


# --- what is refused ----------------------------------------------------------------------


def objects(*values: Any) -> pd.Series:
    """Values that are no numbers, and numbers after them."""
    return pd.Series([*values, *range(ROWS - len(values))], dtype=object)


HOLD = "^the column 'x' of the data must hold numbers, found "
NO_TABLE = "^the data must be a table"
Case = tuple[Any, dict[str, Any], str]
REFUSED: dict[str, Case] = {
    "complex": (BASE.assign(x=BASE.x + 1j), {}, HOLD + r"\(.*\+1j\) in row 0$"),
    "complex response": (BASE.assign(y=BASE.y + 0j), {}, "^the column 'y' of the data must hold"),
    "complex objects": (BASE.assign(x=objects(1, 1j)), {}, HOLD + "1j in row 1$"),
    "mixed": (BASE.assign(x=objects(1, 2, "a")), {}, HOLD + "'a' in row 2$"),
    "numbers as text among numbers": (BASE.assign(x=objects("1")), {}, HOLD + "'1' in row 0$"),
    "dates": (BASE.assign(x=pd.Timestamp("2020")), {}, HOLD + "Timestamp.* in row 0$"),
    "durations": (BASE.assign(x=pd.Timedelta("1D")), {}, HOLD + "Timedelta.* in row 0$"),
    "dates as objects": (BASE.assign(x=objects(datetime.date(2020, 1, 1))), {}, HOLD + "datetime"),
    "lists": (BASE.assign(x=objects([1])), {}, HOLD + r"\[1\] in row 0$"),
    "bytes": (BASE.assign(x=objects(b"1")), {}, HOLD + "b'1' in row 0$"),
    "intervals": (BASE.assign(x=pd.Interval(0, 1)), {}, HOLD + "Interval.* in row 0$"),
    "too many digits": (
        BASE.assign(x=BASE.x.astype(int) + 2**53),
        {},
        "^the column 'x' of the data holds 9007199254741... in row .*, a number with more digits",
    ),
    "text response": (BASE.assign(y="a"), {}, "^the response of 'y ~ x' must be one column of"),
    "categories as response": (
        BASE.assign(y=pd.Categorical(BASE.y > 60)),
        {},
        "^the response of 'y ~ x' must be one column of numbers$",
    ),
    "path": ("data.csv", {}, "^the data must be a table, found 'data.csv'; read a file first"),
    "list": ([1, 2], {}, NO_TABLE + ".* found a list$"),
    "None": (None, {}, NO_TABLE + ".* found nothing$"),
    "series": (BASE.x, {}, NO_TABLE + ".* found a Series$"),
    "array": (BASE.to_numpy(), {}, NO_TABLE + ".* found a ndarray$"),
    "group by": (BASE.groupby("g"), {}, NO_TABLE + ".* found a DataFrameGroupBy$"),
    "ragged dict": ({"x": [1], "y": [1, 2]}, {}, NO_TABLE + ".* found a mapping that is none$"),
    "columns twice": (
        pd.concat([BASE, BASE[["u"]]], axis=1),
        {},
        "^the data have more than one column called 'u'$",
    ),
    "columns of two levels": (pd.concat({"a": BASE}, axis=1), {}, "^the data have columns of 2 le"),
    "names that are numbers": (BASE.rename(columns={"u": 3}), {}, "whose name is not text, 3; "),
    "no rows": (BASE[:0], {}, "^no row of the data has a value in every column of 'y ~ x'$"),
    "no columns": ({}, {}, "^the data have no column 'g' for the clusters; they have "),
    "nothing in a column": (BASE.assign(x=None), {}, "^no row of the data has a value in every"),
    "no such column": (BASE, {"formula": "y ~ xx"}, "^the data have no column 'xx', which"),
    "no such quoted column": (BASE, {"formula": "y ~ `x x`"}, "^the data have no column 'x x', "),
    "no such cluster": (BASE, {"cluster": "school"}, "^the data have no column 'school' for the"),
    "clusters as lists": (
        BASE.assign(g=[[1]] * ROWS),
        {},
        r"^the column 'g' of the data must hold the names of clusters, found \[1\]$",
    ),
    "clusters as text and numbers": (
        BASE.assign(g=objects("1")),
        {},
        "^the column 'g' of the data holds text in some rows and numbers in others: '1' in ",
    ),
    "levels as numbers and text": (
        BASE.assign(x=objects(1, "1")),
        {"formula": "y ~ C(x)"},
        "^the column 'x' of the data holds numbers in some rows and text in others: 1 in row 0, ",
    ),
    "a single level": (
        BASE.assign(x="a"),
        {"formula": "y ~ x * z"},
        "^the term 'x' has a single level: it has no effect$",
    ),
    "a column called as the intercept": (
        BASE.rename(columns={"x": "Intercept"}),
        {"formula": "y ~ Intercept"},
        "^two terms of the formula have the name 'Intercept'; give a column another name$",
    ),
    "a column called as a level": (
        BASE.assign(w=WORDS).rename(columns={"x": "w[T.small]"}),
        {"formula": "y ~ w + `w[T.small]`"},
        r"^two terms of the formula have the name 'w\[T.small\]'; give a column another name$",
    ),
    "complex numbers made": (BASE, {"formula": "y ~ I(x * 1j)"}, r"'y ~ I\(x \* 1j\)'"),
    "formula None": (BASE, {"formula": None}, "^formula must be text, found nothing$"),
    "formula number": (BASE, {"formula": 5}, "^formula must be text, found 5$"),
    "cluster None": (BASE, {"cluster": None}, "does not say what the clusters are"),
    "cluster list": (BASE, {"cluster": ["g"]}, r"^cluster must be the name of a column, found \["),
    "cluster column": (BASE, {"cluster": BASE.g}, r"^cluster must be the name of a column, found "),
    "cluster number": (BASE, {"cluster": 0}, "^cluster must be the name of a column, found 0$"),
    "strategies number": (BASE, {"strategies": 5}, "^strategies must be a list, found 5$"),
    "no strategies": (BASE, {"strategies": []}, "^strategies needs at least 1 value, found an e"),
    "strategy number": (BASE, {"strategies": ["ols", 5]}, "the name of a strategy or a mapping"),
    "strategy None": (BASE, {"strategies": [None]}, "the name of a strategy or a mapping, found n"),
    "strategy twice": (
        BASE,
        {"strategies": ["ols", "ols"]},
        "^two entries are called 'ols'; give each its own 'name'$",
    ),
    "name twice": (
        BASE,
        {"strategies": ["ols", {"strategy": "cluster_robust", "name": "ols"}]},
        "^two entries are called 'ols'; give each its own 'name'$",
    ),
    "engine": (BASE, {"engine": "nmpy"}, r"^engine must be one of .*'nmpy' \(did you mean 'numpy'"),
    "engine number": (BASE, {"engine": 5}, "^engine must be one of .*, found 5$"),
    "engine list": (BASE, {"engine": ["numpy"]}, "^engine must be one of .*, found "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_one_sentence(case: str) -> None:
    data, arguments, sentence = REFUSED[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ClustrategyError, match=sentence) as caught:
            ols(data, **{"formula": "y ~ x", **arguments})
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "strategies",
    [("ols",), {"ols"}, iter(["ols"]), pd.Index(["ols"]), np.array(["ols"]), {"strategy": "ols"}],
    ids=["tuple", "set", "iterator", "index", "array", "mapping"],
)
def test_strategies_in_any_sequence(strategies: Any) -> None:
    found = ols(BASE, "y ~ x", strategies=strategies)
    assert list(found["strategy"]) == ["ols", "ols"]

"""Tables of every kind: `performance` is right, or says in one sentence what is wrong."""

from __future__ import annotations

import decimal
import math
import statistics
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustrategy import performance
from clustrategy.core.errors import ClustrategyError
from tests.containers import CONTAINERS, assert_same, snapshot

SIMS, TRUTH, Z = 12, 50, 1.959963984540054
RNG = np.random.default_rng(4)
BASE = pd.DataFrame(
    {
        "method": np.repeat(["a", "b"], SIMS),
        "sim": np.tile(np.arange(SIMS), 2),
        # Whole, so that most types hold them.
        "estimate": np.round(TRUTH + RNG.normal(size=2 * SIMS) * np.repeat([10, 20], SIMS)),
        "std_error": np.tile([8.0, 10.0, 12.0], 8),
    }
)
ROWS = len(BASE)
REFERENCE = {"by": "method", "reference": {"method": "a"}}


def perform(data: Any, truth: Any = TRUTH, **arguments: Any) -> pd.DataFrame:
    """`performance`; the table is the same afterwards, and nothing is warned of."""
    before = snapshot(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return performance(data, truth, **arguments)
        finally:
            assert_same(data, before)


def naive(rows: list[dict[str, Any]], others: dict[Any, float] | None) -> dict[str, float]:
    """Some measures of the rows of a group by loops, and by a dict of the reference's errors."""
    errors = [row["estimate"] - TRUTH for row in rows]
    half = [Z * row["std_error"] for row in rows]
    found = {
        "bias": sum(errors) / len(errors),
        "model_se": math.sqrt(sum(row["std_error"] ** 2 for row in rows) / len(rows)),
        "coverage": sum(abs(e) <= h for e, h in zip(errors, half, strict=True)) / len(rows),
        "interval_width": sum(2 * h for h in half) / len(rows),
        "rejection_rate": sum(abs(row["estimate"]) >= h for row, h in zip(rows, half, strict=True))
        / len(rows),
    }
    if others is not None:
        pairs = [
            (e, others[r["sim"]]) for e, r in zip(errors, rows, strict=True) if r["sim"] in others
        ]
        own, other = zip(*pairs, strict=True)
        found["relative_precision"] = statistics.variance(other) / statistics.variance(own) - 1
    return found


def assert_right(found: pd.DataFrame, key: dict[str, Any], expected: dict[str, float]) -> None:
    rows = np.ones(len(found), dtype=bool)
    for column, value in key.items():
        rows &= (found[column].isna() if pd.isna(value) else found[column] == value).to_numpy()
    values = found[rows].set_index("measure")["value"].to_dict()
    assert {name: values[name] for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12)


CASTS: dict[str, Callable[[pd.Series], Any]] = {
    **{
        str(kind): lambda s, kind=kind: s.astype(kind)
        for kind in (
            *("int8", "uint8", "int16", "int64", "uint64", "float16", "float32", "float64"),
            *("longdouble", "Int8", "Float32", "Sparse[int8]", "object", "category"),
            *(pd.ArrowDtype(kind) for kind in (pa.int8(), pa.float64(), pa.decimal128(30, 1))),
        )
    },
    "decimals": lambda s: pd.Series([decimal.Decimal(int(v)) for v in s], s.index),
    "whole objects": lambda s: pd.Series([int(v) for v in s], s.index, dtype=object),
}


@pytest.mark.parametrize("kind", CASTS)
def test_numbers_of_any_type(kind: str) -> None:
    data = BASE.assign(**{name: CASTS[kind](BASE[name]) for name in ("estimate", "std_error")})
    found = perform(data.assign(true=CASTS[kind](pd.Series([TRUTH] * ROWS))), "true", **REFERENCE)
    pd.testing.assert_frame_equal(found, perform(BASE, **REFERENCE))


@pytest.mark.parametrize("kind", CONTAINERS)
def test_all_that_holds_tables(kind: str) -> None:
    data = CONTAINERS[kind](BASE.astype({"estimate": "int8"}))
    pd.testing.assert_frame_equal(perform(data, **REFERENCE), perform(BASE, **REFERENCE))


LABELS: dict[str, Callable[[pd.Series], Any]] = {
    "text": lambda s: s.astype(str),
    "numbers": lambda s: s.astype("float64"),
    "small": lambda s: s.astype("int8"),
    "mixed numbers": lambda s: pd.Series([v if v % 2 else float(v) for v in s], dtype=object),
    "category": lambda s: s.astype(str).astype("category"),
    "string": lambda s: s.astype("string"),
    "arrow": lambda s: s.astype(pd.ArrowDtype(pa.int32())),
    "dates": lambda s: pd.Timestamp("2020") + pd.to_timedelta(s, unit="D"),
    "tuples": lambda s: pd.Series([("s", int(v)) for v in s], dtype=object),
}


@settings(max_examples=12)
@given(
    sims=st.sampled_from(list(LABELS)),
    kind=st.sampled_from(list(CASTS)),
    container=st.sampled_from([kind for kind in CONTAINERS if kind.startswith("frame")]),
    order=st.permutations(range(ROWS)),
    gone=st.sets(st.integers(0, ROWS - 1), max_size=8),
    failed=st.sets(st.integers(0, ROWS - 1), max_size=6),
    names=st.permutations(["_place", "method", "level_0", "index", "0", "key", "estimates"]),
    group=st.sampled_from([None, np.nan, pd.NA, "c"]),
)
def test_any_table(
    sims: str,
    kind: str,
    container: str,
    order: list[int],
    gone: set[int],
    failed: set[int],
    names: list[str],
    group: Any,
) -> None:
    """Groups, pairs and failures, whatever columns are called and in whatever order rows are."""
    method, part, *_ = names
    data = BASE.assign(sim=LABELS[sims](BASE["sim"]), estimate=CASTS[kind](BASE["estimate"]))
    data = data.rename(columns={"method": method})
    values = pd.Series([group if row % SIMS < 6 else "rest" for row in range(ROWS)], dtype=object)
    data[part] = values
    data["status"] = ["error" if row in failed else "ok" for row in range(ROWS)]
    kept = [row for row in order if row not in gone]
    rows = BASE.assign(part=(np.arange(ROWS) % SIMS < 6), place=range(ROWS)).iloc[kept]
    good = rows[~rows["place"].isin(failed)]
    found = perform(
        CONTAINERS[container](data.iloc[kept]) if kept else data.iloc[kept],
        by=[method, part],
        reference={method: "a"},
    )
    for first in (True, False):
        here = good[good["part"] == first]
        others = here[here["method"] == "a"].set_index("sim")["estimate"] - TRUTH
        for name in ("a", "b"):
            own = here[here["method"] == name]
            key = {method: name, part: group if first else "rest"}
            if own.empty:
                continue
            paired = own["sim"].isin(others.index).sum()
            spread = own[own["sim"].isin(others.index)]["estimate"].nunique() > 1
            ref = others.to_dict() if paired > 1 and spread else None
            assert_right(found, key, naive(own.to_dict("records"), ref))
            count = found[(found["measure"] == "relative_precision") & (found[method] == name)]
            assert paired in count["n"].tolist()


def test_a_missing_value_is_a_group_of_its_own() -> None:
    """In whichever of the columns it is missing."""
    data = BASE.assign(k=[None, "x", "y"] * 8, half=[np.nan, 1.0] * 12)
    found = perform(data, by=["k", "half"])
    groups = found[["k", "half"]].drop_duplicates()
    assert len(groups) == 6 and groups["k"].isna().sum() == 2 and groups["half"].isna().sum() == 3
    for k, half in groups.itertuples(index=False):
        same = data["k"].isna() if pd.isna(k) else data["k"] == k
        same &= data["half"].isna() if pd.isna(half) else data["half"] == half
        assert_right(found, {"k": k, "half": half}, naive(data[same].to_dict("records"), None))
    data["sim"] = data.index // 3
    only = perform(data, by="k", reference={"k": None})
    assert_right(only, {"k": None}, {"relative_precision": 0.0})


def test_limits_without_standard_errors_have_coverage_and_width() -> None:
    data = BASE.assign(
        conf_low=BASE["estimate"] - 2 * BASE["std_error"],
        conf_high=BASE["estimate"] + BASE["std_error"],
    )
    own = data.drop(columns="std_error")
    covered = (data["conf_low"] <= TRUTH) & (data["conf_high"] >= TRUTH)
    miss = np.maximum(data["conf_low"] - TRUTH, 0) + np.maximum(TRUTH - data["conf_high"], 0)
    expected = {
        "coverage": covered.mean(),
        "interval_width": 3 * BASE["std_error"].mean(),
        "interval_score": (3 * BASE["std_error"] + 40 * miss).mean(),
    }
    found = perform(own)
    assert 0 < expected["coverage"] < 1
    assert_right(found, {}, expected)
    assert_right(perform(data), {}, expected)
    assert not found["measure"].isin(["model_se", "rejection_rate"]).any()
    assert "bias_eliminated_coverage" in found["measure"].tolist()


def test_pairs_are_of_one_dataset_in_whatever_order() -> None:
    """By hand: variances 14/3 and 1, the rows of the second backwards, one without a partner."""
    ours = {"sim": [1, 2, 3, 4], "estimate": [1.0, 2, 3, 6]}
    theirs = {"sim": [4.0, 3.0, 2.0, 1.0, 9.0], "estimate": [1.0, 2, 1, 0, 100]}
    table = pd.concat(
        [pd.DataFrame(ours).assign(method="ours"), pd.DataFrame(theirs).assign(method="theirs")]
    )
    found = perform(table, 2, by="method", reference={"method": "ours"})
    assert_right(found, {"method": "theirs"}, {"relative_precision": 14 / 3 / (2 / 3) - 1})
    n = found.set_index(["method", "measure"])["n"]
    assert n["theirs", "relative_precision"] == 4 and n["theirs", "bias"] == 5


def test_rows_that_do_not_count_may_hold_anything() -> None:
    failed = {"status": "error", "std_error": -1.0, "df": 0.0, "p_value": 9.0, "estimate": 1e9}
    rows = BASE.assign(status="ok", df=np.inf, p_value=0.5)
    data = pd.concat([rows, pd.DataFrame([failed])])
    found = perform(data).set_index("measure")
    assert found.loc["unusable_rate", "value"] == 1 / 25
    assert found.loc["bias", "value"] == pytest.approx((BASE["estimate"] - TRUTH).mean())


def test_statuses_of_ones_own() -> None:
    data = BASE.assign(status=["OK", "Error"] * 12)
    found = perform(data, usable="OK").set_index("measure")
    assert found.loc["unusable_rate", "value"] == 0.5 and found.loc["bias", "n"] == 12


# --- what is refused ----------------------------------------------------------------------

text_sims = BASE.astype({"sim": object})
text_sims.loc[SIMS:, "sim"] = [str(sim) for sim in range(SIMS)]
repeated = BASE.copy()
repeated.loc[SIMS + 1, "sim"] = 0
HOLD = "^the column 'estimate' of the estimates must hold numbers, found "
ONE = "must be the name of a column, found "
Case = tuple[Any, dict[str, Any], str]
REFUSED: dict[str, Case] = {
    "repeated sims": (
        repeated,
        REFERENCE,
        "^method 'b' has more than one row of sim 0 in a group; rows are paired by it$",
    ),
    "repeated sims of the reference": (
        BASE.assign(method=[*"ab"] * SIMS),
        REFERENCE,
        "^the reference has more than one row of sim 0 in a group; rows are paired by it$",
    ),
    "sims as text and numbers": (
        text_sims,
        REFERENCE,
        "^the column 'sim' of the estimates holds numbers in some rows and text in others: 0 in "
        "row 0, '0' in row 12$",
    ),
    "sims of another study": (
        BASE.assign(sim=range(ROWS)),
        REFERENCE,
        "^no sim of method 'b' is one of the reference's; the first is 12, the reference's 0$",
    ),
    "sims as text otherwise": (
        BASE.assign(sim=[*map(str, range(SIMS)), *(f"{sim:03}" for sim in range(SIMS))]),
        REFERENCE,
        "^no sim of method 'b' is one of the reference's; the first is '000', the reference's '0'$",
    ),
    "no sim": (
        BASE.assign(sim=[np.nan, *range(ROWS - 1)]),
        REFERENCE,
        "^the column 'sim' of the estimates, by which rows are paired, has no value in row 0$",
    ),
    "sims as lists": (
        BASE.assign(sim=[[1]] * ROWS),
        REFERENCE,
        "^the column 'sim' of the estimates must hold numbers or text, to tell rows apart$",
    ),
    "groups as text and numbers": (
        BASE.assign(k=pd.Series(["1", 1] * 12, dtype=object)),
        {"by": "k"},
        "^the column 'k' of the estimates holds text in some rows and numbers in others: '1' in ro",
    ),
    "groups as truth values and numbers": (
        BASE.assign(k=pd.Series([True, 1.0] * 12, dtype=object)),
        {"by": "k"},
        "holds truth values in some rows and numbers in others: True in row 0, 1.0 in row 1$",
    ),
    "groups as lists": (
        BASE.assign(k=[[1]] * ROWS),
        {"by": "k"},
        "^the column 'k' of the estimates must hold numbers or text, to tell rows apart$",
    ),
    "complex": (BASE.assign(estimate=BASE.estimate + 1j), {}, HOLD + r"\(.*\+1j\) in row 0$"),
    "complex standard errors": (
        BASE.assign(std_error=1j),
        {},
        "^the column 'std_error' of the estimates must hold numbers, found 1j in row 0$",
    ),
    "dates": (BASE.assign(estimate=pd.Timestamp("2020")), {}, HOLD + "Timestamp.* in row 0$"),
    "durations": (BASE.assign(estimate=pd.Timedelta("1D")), {}, HOLD + "Timedelta.* in row 0$"),
    "text": (BASE.assign(estimate=["1", *BASE.estimate[1:]]), {}, HOLD + "'1' in row 0$"),
    "lists": (BASE.assign(estimate=[[1]] * ROWS), {}, HOLD + r"\[1\] in row 0$"),
    "too many digits": (
        BASE.assign(estimate=2**53 + 1),
        {},
        "^the column 'estimate' of the estimates holds 9007199254740993 in row 0, a number with",
    ),
    "df of 0": (BASE.assign(df=0), {}, "^df must be greater than 0, as it is in row 0$"),
    "negative df": (
        BASE.assign(df=[1] * 23 + [-1]),
        {},
        "^df must be greater than 0, .* in row 23$",
    ),
    "infinite standard error": (
        BASE.assign(std_error=[1.0, np.inf] * 12),
        {},
        "^std_error must be finite or missing, as it is in row 1$",
    ),
    "infinite truth": (
        BASE.assign(t=np.inf),
        {"truth": "t"},
        "^the truth must be finite, as it is",
    ),
    "status in capitals": (
        BASE.assign(status=["ok", "OK"] * 12),
        {},
        "^the estimates have the status 'OK', which is not 'ok'; those whose numbers count are ok, "
        "singular, the others known not_converged, undefined, error$",
    ),
    "status with a space": (BASE.assign(status=["ok", "ok "] * 12), {}, "the status 'ok ', which"),
    "status Singular": (BASE.assign(status=["ok", "Singular"] * 12), {}, "is not 'singular'; "),
    "own status in capitals": (
        BASE.assign(status=["Good fit", "good_fit"] * 12),
        {"usable": "Good fit"},
        "^the estimates have the status 'good_fit', which is not 'Good fit'; ",
    ),
    "status as truth values": (
        BASE.assign(status=True),
        {},
        "^the column 'status' of the estimates must hold text, found True in row 0$",
    ),
    "status as lists": (BASE.assign(status=[["ok"]] * ROWS), {}, "must hold text, found "),
    "columns twice": (
        pd.concat([BASE, BASE[["estimate"]]], axis=1),
        {},
        "^the estimates have more than one column called 'estimate'$",
    ),
    "columns of two levels": (pd.concat({"a": BASE}, axis=1), {}, "^the estimates have columns of"),
    "names that are numbers": (BASE.rename(columns={"sim": 0}), {}, "whose name is not text, 0; "),
    "path": ("estimates.csv", {}, "^the estimates must be a table, found 'estimates.csv'; read a"),
    "list": ([1.0], {}, "^the estimates must be a table .* found a list$"),
    "None": (None, {}, "^the estimates must be a table .* found nothing$"),
    "series": (BASE.estimate, {}, "^the estimates must be a table .* found a Series$"),
    "no estimate": (BASE.drop(columns="estimate"), {}, "^the estimates have no column 'estimate'"),
    "no truth": (BASE, {"truth": "true"}, "^the estimates have no column 'true'"),
    "truth NaN": (BASE, {"truth": np.nan}, "^truth must be a finite number or the name of a col"),
    "truth huge": (BASE, {"truth": 10**400}, "^truth must be a finite number or the name of a "),
    "truth true": (BASE, {"truth": True}, "^truth must be a finite number .* found True$"),
    "truth a column": (BASE, {"truth": BASE.estimate}, "^truth must be a finite number .* found"),
    "truth complex": (BASE, {"truth": 1j}, "^truth must be a finite number .* found 1j$"),
    "by None": (BASE, {"by": None}, "^by must be a list, found nothing$"),
    "by number": (BASE, {"by": 0}, "^by must be a list, found 0$"),
    "by numbers": (BASE, {"by": [0]}, ONE + "0$"),
    "by lists": (BASE, {"by": [["method"]]}, ONE + r"\['method'\]$"),
    "by mapping": (BASE, {"by": {"method": 1}}, "^by must be a list, found a mapping$"),
    "by twice": (BASE, {"by": ["sim", "sim"]}, "^by names the column 'sim' twice$"),
    "by value": (BASE.assign(value=1), {"by": "value"}, "^by: the result has a column 'value' of"),
    "by nothing there": (BASE, {"by": "methd"}, r"no column 'methd' \(did you mean 'method'\?\)"),
    "alpha as text": (BASE, {"alpha": "0.05"}, "^alpha must be between 0 and 1, found '0.05'$"),
    "alpha None": (BASE, {"alpha": None}, "^alpha must be between 0 and 1, found nothing$"),
    "alpha NaN": (BASE, {"alpha": math.nan}, "^alpha must be between 0 and 1, found nan$"),
    "alpha true": (BASE, {"alpha": True}, "^alpha must be between 0 and 1, found True$"),
    "alpha list": (BASE, {"alpha": [0.05]}, r"^alpha must be between 0 and 1, found \[0.05\]$"),
    "alpha table": (BASE, {"alpha": BASE}, "^alpha must be between 0 and 1, found a DataFrame$"),
    "confidence 0": (BASE, {"confidence": 0}, "^confidence must be between 0 and 1, found 0$"),
    "confidence 95": (BASE, {"confidence": 95}, "^confidence must be between 0 and 1, found 95$"),
    "confidence None": (BASE, {"confidence": None}, "^confidence must be between 0 and 1, found n"),
    "usable None": (BASE, {"usable": None}, "^usable must be a list, found nothing$"),
    "usable empty": (BASE, {"usable": []}, "^usable needs at least 1 value, found an empty list$"),
    "usable number": (BASE, {"usable": [1]}, "must be a status, as text, found 1$"),
    "mcse None": (BASE, {"mcse": None}, "^mcse must be one of morris, jackknife, found nothing$"),
    "mcse list": (BASE, {"mcse": ["morris"]}, r"^mcse must be one of .* found \['morris'\]"),
    "replicate number": (BASE, {"replicate": 0}, "^replicate " + ONE + "0$"),
    "replicate None": (BASE, {"replicate": None}, "^replicate " + ONE + "nothing$"),
    "replicate absent": (BASE, {**REFERENCE, "replicate": "rep"}, "no column 'rep', which is to"),
    "reference as text": (BASE, {"by": "method", "reference": "a"}, "^reference must be .* 'a'$"),
    "reference empty": (BASE, {"by": "method", "reference": {}}, "^reference must be some columns"),
    "reference of lists": (
        BASE,
        {"by": "method", "reference": {"method": ["a"]}},
        r"^reference: 'method' must have one value, found \['a'\]$",
    ),
    "reference elsewhere": (
        BASE,
        {"by": "method", "reference": {"sim": 1}},
        "^reference: 'sim' is not among the columns of 'by'$",
    ),
    "reference absent": (
        BASE,
        {"by": "method", "reference": {"method": "A"}},
        r"^no row of the estimates is of the reference \{'method': 'A'\}$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_one_sentence(case: str) -> None:
    data, arguments, sentence = REFUSED[case]
    with pytest.raises(ClustrategyError, match=sentence) as caught:
        perform(data, **arguments)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("by", [["method"], ("method",), {"method"}, pd.Index(["method"]), np.array(["method"])]),
        ("usable", [["ok"], ("ok",), {"ok": 1}.keys(), np.array(["ok"]), np.str_("ok")]),
        ("alpha", [0.05, np.float64(0.05), np.array(0.05)]),
        ("confidence", [0.95, np.float64(0.95)]),
    ],
)
def test_the_same_argument_in_other_words(argument: str, values: list[Any]) -> None:
    found = [perform(BASE.assign(status="ok"), **{argument: value}) for value in values]
    for other in found[1:]:
        pd.testing.assert_frame_equal(other, found[0])

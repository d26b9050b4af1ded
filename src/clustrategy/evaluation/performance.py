"""Performance measures of any table of estimates whose truth is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.errors import ConfigError, DataError, nearest
from clustrategy.core.fits import STATUSES
from clustrategy.core.inference import CONFIDENCE
from clustrategy.core.shard import Floats, Ints
from clustrategy.core.validation import arguments, described
from clustrategy.evaluation import measures
from clustrategy.evaluation.measures import LEVEL, MEASURES, NAMES, Replicates, Settings
from clustrategy.tables.frames import check_one_kind, frame, numbers, require

if TYPE_CHECKING:
    import pandas as pd

WHAT = "the estimates"

RESULT = ("measure", "value", "mcse", "n")

_ARGUMENTS = {
    "truth": {
        "type": ["number", "string"],
        "minimum": -1e308,
        "maximum": 1e308,
        "expected": "a finite number or the name of a column",
    },
    "by": {
        "type": "array",
        "items": {"type": "string", "expected": "the name of a column"},
    },
    "alpha": LEVEL,
    "confidence": LEVEL,
    "usable": {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "expected": "a status, as text"},
    },
    "mcse": {"enum": ["morris", "jackknife"]},
    "replicate": {"type": "string", "expected": "the name of a column"},
    "reference": {
        "type": "object",
        "minProperties": 1,
        "expected": "some columns of 'by' and the value of each, such as {'strategy': 'ols'}",
    },
}


def performance(
    estimates: object,
    truth: float | str,
    *,
    by: str | Sequence[str] = (),
    alpha: float = 0.05,
    confidence: float = CONFIDENCE,
    usable: str | Sequence[str] = ("ok", "singular"),
    mcse: Literal["morris", "jackknife"] = "morris",
    reference: Mapping[str, Any] | None = None,
    replicate: str = "sim",
) -> pd.DataFrame:
    """Compute performance measures of estimates, each with its Monte Carlo standard error.

    Parameters
    ----------
    estimates : DataFrame or other table
        A DataFrame of pandas, polars or any library that speaks Arrow, a pyarrow Table, a mapping
        of columns or a structured NumPy array; it is not changed. A row per replicate (of each
        group), with the column `estimate` and, as far as they are there, `std_error`, `df`,
        `p_value`, `conf_low`, `conf_high` and `status`. Tests and limits that are not there come
        from the t distribution, or from the normal one if there is no `df`, in no column or not in
        that row.
    truth : float or str
        The true value, or the column that holds it.
    by : str or Sequence of str, optional
        Columns whose values make the groups; all rows are one group without. Rows without a value
        are a group of their own. The columns stand in the result and so cannot have the names of
        its own.
    alpha : float
        Level of the tests.
    confidence : float
        Level of the intervals.
    usable : str or Sequence of str
        The values of `status` whose numbers count. Other rows, and those whose estimate is not
        finite, are unusable.
    mcse : {"morris", "jackknife"}
        `morris`, as in Morris, White & Crowther (2019), or `jackknife`, which does not take the
        estimates to be normal, for empirical_se, relative_error and relative_precision.
    reference : Mapping, optional
        Some columns of `by` and the value of each that marks the reference, such as
        `{"strategy": "ols"}`, for relative_precision.
    replicate : str
        The column that pairs the rows of a group with those of its reference: the dataset. Every
        group has each of its values once at most; of rows without a partner, `n` tells.

    Returns
    -------
    DataFrame
        A row per group, in the order of appearance, and measure: the `by` columns, `measure`,
        `value`, `mcse`, and `n`, the rows used. What has no value is NaN, as are values that are
        not finite. Measures whose columns are not there are left out.

    Raises
    ------
    DataError
        If a column is not there or does not hold numbers, or rows cannot be paired.
    ConfigError
        If an argument is not one of those allowed.

    References
    ----------
    Morris, White & Crowther (2019), Using simulation studies to evaluate statistical methods,
    Statistics in Medicine 38, 2074-2102, table 6. The formulas are in docs/measures.md.

    Examples
    --------
    Five estimates of a coefficient whose true value is 1:

    >>> import pandas as pd
    >>> from clustrategy import performance
    >>> estimates = pd.DataFrame({
    ...     "estimate": [0.8, 1.3, 0.9, 1.2, 1.0],
    ...     "std_error": [0.2, 0.1, 0.2, 0.3, 0.2],
    ... })
    >>> table = performance(estimates, truth=1)
    >>> shown = table["measure"].isin(["bias", "empirical_se", "model_se", "coverage"])
    >>> print(table[shown].round(3).to_string(index=False))
         measure  value  mcse  n
            bias  0.040 0.093  5
    empirical_se  0.207 0.073  5
        model_se  0.210 0.031  5
        coverage  0.800 0.179  5
    """
    import pandas as pd

    table = frame(estimates, WHAT)
    known = arguments(
        {
            "truth": truth,
            "by": [by] if isinstance(by, str) else by,
            "alpha": alpha,
            "confidence": confidence,
            "usable": [usable] if isinstance(usable, str) else usable,
            "mcse": mcse,
            "replicate": replicate,
        },
        _ARGUMENTS,
        reference=reference,
    )
    keys = _keys(table, known["by"])
    settings = Settings(known["alpha"], known["confidence"], known["mcse"] == "jackknife")
    estimate = numbers(table, "estimate", WHAT)
    good = np.isfinite(estimate)
    if "status" in table:
        good &= _usable(_statuses(table), known["usable"])
    replicates = _replicates(table, estimate, known["truth"], good, known["confidence"])
    names = _computable(table)
    codes = [_codes(table, key) for key in keys]
    partner = None
    if reference is not None:
        partner = _partners(table, dict(zip(keys, codes, strict=True)), reference, replicate)
    rows: list[tuple[Any, ...]] = []
    for members in _groups(codes, len(table)):
        used = members[good[members]]
        own = replicates.take(used)
        results = {name: measures.evaluate(name, own, settings) for name in names}
        if partner is not None:
            used = used[partner[used] >= 0]
            used = used[good[partner[used]]]
            own, other = replicates.take(used), replicates.take(partner[used])
            results["relative_precision"] = measures.relative_precision(own, other, settings)
        results["unusable_rate"] = measures.unusable_rate(good[members])
        group = [table[key].iloc[members[0]] for key in keys]
        rows += [(*group, name, *results[name][:3]) for name in NAMES if name in results]
    return pd.DataFrame(rows, columns=[*keys, *RESULT])


def _keys(data: pd.DataFrame, keys: list[str]) -> list[str]:
    for key in keys:
        require(data, key, WHAT)
        if key in RESULT:
            raise ConfigError(
                f"by: the result has a column {key!r} of its own; give that of the estimates "
                "another name"
            )
        if keys.count(key) > 1:
            raise ConfigError(f"by names the column {key!r} twice")
    return keys


def _statuses(data: pd.DataFrame) -> pd.Series[Any]:
    status = data["status"].astype(object)
    missing = status.isna()
    for row, (value, absent) in enumerate(zip(status, missing, strict=True)):
        if not (absent or isinstance(value, str)):
            raise DataError(
                f"the column 'status' of the estimates must hold text, found {described(value)} "
                f"in row {row}"
            )
    return status


def _usable(status: pd.Series[Any], wanted: list[str]) -> NDArray[np.bool_]:
    """Return (rows,) whether the status is one of those whose numbers count."""
    found = [str(value) for value in status.dropna().unique()]
    foreign = [value for value in found if value not in STATUSES]
    known = [*STATUSES, *foreign]
    for name in wanted:
        if name not in known:
            raise ConfigError(
                f"usable: there is no status {name!r}{nearest(name, known)}; "
                f"the estimates have {', '.join(found)}"
            )
    words = {_word(name): name for name in wanted}
    for name in foreign:
        if name not in wanted and _word(name) in words:
            raise DataError(
                f"the estimates have the status {name!r}, which is not {words[_word(name)]!r}; "
                f"those whose numbers count are {', '.join(wanted)}, the others known "
                f"{', '.join(status for status in STATUSES if status not in wanted)}"
            )
    good: NDArray[np.bool_] = status.isin(wanted).to_numpy(dtype=bool)
    if foreign and not good.any():
        raise ConfigError(
            f"usable: no estimate has the status {' or '.join(wanted)}; "
            f"the estimates have {', '.join(found)}"
        )
    return good


def _word(status: str) -> str:
    """Return a status without what may be a slip: capitals and spaces."""
    return "_".join(status.casefold().replace("_", " ").split())


def _replicates(
    data: pd.DataFrame,
    estimate: Floats,
    truth: float | str,
    good: NDArray[np.bool_],
    confidence: float,
) -> Replicates:
    """Return the replicates of all rows, whatever their group, those that count checked."""
    tests = {
        name: numbers(data, name, WHAT)
        for name in ("p_value", "conf_low", "conf_high")
        if name in data
    }
    std_error, df = (
        numbers(data, name, WHAT) if name in data else np.full(len(data), np.nan)
        for name in ("std_error", "df")
    )
    if isinstance(truth, str):
        true = numbers(data, truth, WHAT)
    else:
        true = np.full(len(data), float(truth))
    _check({"std_error": std_error, "df": df, "truth": true, **tests}, good)
    return Replicates.of(
        estimate,
        true,
        std_error,
        np.where(np.isnan(df), np.inf, df),
        **tests,
        confidence=confidence,
    )


def _check(columns: Mapping[str, Floats], good: NDArray[np.bool_]) -> None:
    """Raise DataError for impossible numbers in the rows that count."""
    nothing = np.full(good.shape, np.nan)
    p_value = columns.get("p_value", nothing)
    low, high = (columns.get(name, nothing) for name in ("conf_low", "conf_high"))
    if ("conf_low" in columns) != ("conf_high" in columns):
        there, other = ("conf_low", "conf_high")[:: 1 if "conf_low" in columns else -1]
        raise DataError(f"the estimates have a column {there!r} but no column {other!r}")
    std_error = columns["std_error"]
    for problem, wrong in (
        ("std_error must not be negative", std_error < 0),
        ("std_error must be finite or missing", np.isinf(std_error)),
        ("df must be greater than 0", columns["df"] <= 0),
        ("the truth must be finite", np.isinf(columns["truth"])),
        ("p_value must be between 0 and 1", (p_value < 0) | (p_value > 1)),
        ("conf_low must not be above conf_high", low > high),
    ):
        if (wrong & good).any():
            row = int(np.flatnonzero(wrong & good)[0])
            raise DataError(f"{problem}, as it is in row {row}")


def _computable(data: pd.DataFrame) -> list[str]:
    """List the measures whose columns are there."""
    known = {"error"}
    if "std_error" in data:
        known |= {"variance", "p_value", "low", "high", "p_null"}
    if "p_value" in data:
        known.add("p_value")
    if "conf_low" in data and "conf_high" in data:
        known |= {"low", "high"}
    return [name for name, measure in MEASURES.items() if known.issuperset(measure.needs)]


def _codes(data: pd.DataFrame, name: str) -> Ints:
    """Return (rows,) the place of each row's value among the column's; no value is one, too."""
    import pandas as pd

    check_one_kind(data, name, WHAT)
    try:
        codes, _ = pd.factorize(data[name], use_na_sentinel=False)
    except TypeError:
        raise DataError(
            f"the column {name!r} of the estimates must hold numbers or text, to tell rows apart"
        ) from None
    return np.asarray(codes, dtype=np.int64)


def _joined(codes: Sequence[Ints], rows: int) -> Ints:
    """Return (rows,) the place of each row's combination of values."""
    joined = np.zeros(rows, dtype=np.int64)
    for code in codes:
        pairs = joined * (code.max(initial=0) + 1) + code
        joined = np.unique(pairs, return_inverse=True)[1]
    return joined


def _groups(codes: Sequence[Ints], rows: int) -> Iterator[Ints]:
    """Yield the places of the rows of each group, in order of appearance."""
    if not codes:
        yield np.arange(rows)
        return
    joined = _joined(codes, rows)
    order = np.argsort(joined, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(joined[order])) + 1)
    yield from sorted((members for members in groups if members.size), key=lambda rows: rows[0])


def _partners(
    data: pd.DataFrame, codes: Mapping[str, Ints], reference: Mapping[str, Any], replicate: str
) -> Ints:
    """Return (rows,) the place of the reference's row of the same replicate, -1 without one."""
    for key in reference:
        if key not in codes:
            raise ConfigError(f"reference: {key!r} is not among the columns of 'by'")
    if replicate not in data:
        raise DataError(
            f"the estimates have no column {replicate!r}, which is to pair their rows with the "
            "reference's; name theirs as 'replicate'"
        )
    missing = data[replicate].isna().to_numpy(dtype=bool)
    if missing.any():
        raise DataError(
            f"the column {replicate!r} of the estimates, by which rows are paired, has no value in "
            f"row {int(np.argmax(missing))}"
        )
    is_reference = np.ones(len(data), dtype=bool)
    for key, value in reference.items():
        is_reference &= _equal(data[key], value)
    if not is_reference.any():
        raise DataError(f"no row of the estimates is of the reference {dict(reference)!r}")
    own = _codes(data, replicate)
    group = _joined(list(codes.values()), len(data))
    once = _joined([group, own], len(data))
    twice = np.flatnonzero((np.bincount(once) > 1)[once])
    if twice.size:
        row = int(twice[0])
        who = "the reference" if is_reference[row] else _name(data, codes, row)
        raise DataError(
            f"{who} has more than one row of {replicate} {data[replicate].iloc[row]} in a group; "
            "rows are paired by it"
        )
    context = _joined([code for key, code in codes.items() if key not in reference], len(data))
    paired = _joined([context, own], len(data))
    place = np.full(len(data), -1)
    place[paired[is_reference]] = np.flatnonzero(is_reference)
    partner: Ints = place[paired]
    compared = np.isin(context, context[is_reference])
    alone = compared & ~np.isin(group, group[partner >= 0])
    if alone.any():
        row = int(np.argmax(alone))
        raise DataError(
            f"no {replicate} of {_name(data, codes, row)} is one of the reference's; the first is "
            f"{described(data[replicate].iloc[row])}, the reference's "
            f"{described(data[replicate].iloc[int(np.argmax(is_reference))])}"
        )
    return partner


def _name(data: pd.DataFrame, keys: Iterable[str], row: int) -> str:
    """Name the group of a row."""
    return ", ".join(f"{key} {described(data[key].iloc[row])}" for key in keys)


def _equal(values: pd.Series[Any], value: Any) -> NDArray[np.bool_]:
    """Return (rows,) which values are the one given, which may be a missing one."""
    import pandas as pd

    if not pd.api.types.is_scalar(value):
        raise ConfigError(
            f"reference: {values.name!r} must have one value, found {described(value)}"
        )
    if pd.isna(value):
        return values.isna().to_numpy(dtype=bool)
    objects = values.astype(object).where(values.notna(), None)
    return np.array([bool(found == value) for found in objects], dtype=bool)

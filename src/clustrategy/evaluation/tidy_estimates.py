"""A user's table of estimates, read: which rows count, and which of them belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.errors import ConfigError, DataError, nearest
from clustrategy.core.fits import STATUSES
from clustrategy.core.shard import Floats, Ints
from clustrategy.core.validation import described
from clustrategy.evaluation.measures import Replicates
from clustrategy.tables.frames import check_one_kind, numbers, require

if TYPE_CHECKING:
    import pandas as pd

WHAT = "the estimates"

TRUTH = {
    "type": ["number", "string"],
    "minimum": -1e308,
    "maximum": 1e308,
    "expected": "a finite number or the name of a column",
}
"""The schema of the argument `truth`."""

USABLE = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "string", "expected": "a status, as text"},
}
"""The schema of the argument `usable`."""


def keys_of(data: pd.DataFrame, keys: list[str], own: Sequence[str]) -> list[str]:
    """Check the columns that are to make groups; `own` are those that the result has itself."""
    for key in keys:
        require(data, key, WHAT)
        if key in own:
            raise ConfigError(
                f"by: the result has a column {key!r} of its own; give that of the estimates "
                "another name"
            )
        if keys.count(key) > 1:
            raise ConfigError(f"by names the column {key!r} twice")
    return keys


def statuses(data: pd.DataFrame) -> pd.Series[Any]:
    """Return the statuses, checked to be text or missing."""
    status = data["status"].astype(object)
    missing = status.isna()
    for row, (value, absent) in enumerate(zip(status, missing, strict=True)):
        if not (absent or isinstance(value, str)):
            raise DataError(
                f"the column 'status' of the estimates must hold text, found {described(value)} "
                f"in row {row}"
            )
    return status


def usable_rows(status: pd.Series[Any], wanted: list[str]) -> NDArray[np.bool_]:
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


def replicates_of(
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


def codes_of(data: pd.DataFrame, name: str) -> Ints:
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


def combined(codes: Sequence[Ints], rows: int) -> Ints:
    """Return (rows,) the place of each row's combination of values."""
    place = np.zeros(rows, dtype=np.int64)
    for code in codes:
        pairs = place * (code.max(initial=0) + 1) + code
        place = np.unique(pairs, return_inverse=True)[1]
    return place


def groups(codes: Sequence[Ints], rows: int) -> Iterator[Ints]:
    """Yield the places of the rows of each group, in order of appearance."""
    if not codes:
        yield np.arange(rows)
        return
    place = combined(codes, rows)
    order = np.argsort(place, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(place[order])) + 1)
    yield from sorted((members for members in parts if members.size), key=lambda rows: rows[0])

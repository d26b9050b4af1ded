"""Performance measures of any table of estimates whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.errors import ConfigError, DataError, nearest
from clustrategy.core.fits import STATUSES
from clustrategy.core.inference import CONFIDENCE
from clustrategy.core.shard import Floats
from clustrategy.evaluation import measures
from clustrategy.evaluation.measures import MEASURES, NAMES, Replicates, Settings

if TYPE_CHECKING:
    import pandas as pd

RESULT = ("measure", "value", "mcse", "n")


def performance(
    estimates: pd.DataFrame,
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
    estimates : DataFrame
        A row per replicate (of each group), with the column `estimate` and, as far as they are
        there, `std_error`, `df`, `p_value`, `conf_low`, `conf_high` and `status`. Tests and
        limits that are not there come from the t distribution, or from the normal one if there is
        no `df`, in no column or not in that row.
    truth : float or str
        The true value, or the column that holds it.
    by : str or Sequence of str, optional
        Columns whose values make the groups; all rows are one group without. They stand in the
        result and so cannot have the names of its own columns.
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
        The column that pairs the rows of a group with those of its reference.

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

    if not isinstance(estimates, pd.DataFrame):
        raise DataError(f"the estimates must be a DataFrame, found a {type(estimates).__name__}")
    keys = _keys(estimates, by)
    settings = _settings(alpha, confidence, mcse)
    _require(estimates, "estimate")
    replicates = _replicates(estimates, truth, confidence)
    good = np.isfinite(_numbers(estimates, "estimate"))
    if "status" in estimates:
        good &= _usable(estimates["status"], usable)
    names = _computable(estimates)
    partner = None if reference is None else _partners(estimates, keys, reference, replicate)
    rows: list[tuple[Any, ...]] = []
    for key, members in _groups(estimates, keys):
        used = members[good[members]]
        own = replicates.take(used)
        results = {name: measures.evaluate(name, own, settings) for name in names}
        if partner is not None:
            used = used[partner[used] >= 0]
            used = used[good[partner[used]]]
            own, other = replicates.take(used), replicates.take(partner[used])
            results["relative_precision"] = measures.relative_precision(own, other, settings)
        results["unusable_rate"] = measures.unusable_rate(good[members])
        rows += [(*key, name, *results[name][:3]) for name in NAMES if name in results]
    return pd.DataFrame(rows, columns=[*keys, *RESULT])


def _keys(data: pd.DataFrame, by: str | Sequence[str]) -> list[str]:
    keys = [by] if isinstance(by, str) else list(by)
    for key in keys:
        _require(data, key)
        if key in RESULT:
            raise ConfigError(
                f"by: the result has a column {key!r} of its own; give that of the estimates "
                "another name"
            )
    return keys


def _settings(alpha: float, confidence: float, mcse: str) -> Settings:
    for name, level in (("alpha", alpha), ("confidence", confidence)):
        if not 0 < level < 1:
            raise ConfigError(f"{name} must be between 0 and 1, found {level!r}")
    if mcse not in ("morris", "jackknife"):
        raise ConfigError(f"mcse must be 'morris' or 'jackknife', found {mcse!r}")
    return Settings(alpha, confidence, mcse == "jackknife")


def _usable(status: pd.Series[Any], usable: str | Sequence[str]) -> NDArray[np.bool_]:
    """Return (rows,) whether the status is one of those whose numbers count."""
    wanted = [usable] if isinstance(usable, str) else list(usable)
    found = [str(value) for value in status.dropna().unique()]
    foreign = [value for value in found if value not in STATUSES]
    known = [*STATUSES, *foreign]
    for name in wanted:
        if name not in known:
            raise ConfigError(
                f"usable: there is no status {name!r}{nearest(name, known)}; "
                f"the estimates have {', '.join(found)}"
            )
    good: NDArray[np.bool_] = status.isin(wanted).to_numpy(dtype=bool)
    if foreign and not good.any():
        raise ConfigError(
            f"usable: no estimate has the status {' or '.join(wanted)}; "
            f"the estimates have {', '.join(found)}"
        )
    return good


def _require(data: pd.DataFrame, name: str) -> None:
    if name not in data:
        known = [str(column) for column in data]
        raise DataError(
            f"the estimates have no column {name!r}{nearest(name, known)}; "
            f"they have {', '.join(known)}"
        )


def _numbers(data: pd.DataFrame, name: str) -> Floats:
    """Return (rows,) a column as numbers, NaN where it has none."""
    _require(data, name)
    try:
        return data[name].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise DataError(f"the column {name!r} of the estimates must hold numbers") from None


def _replicates(data: pd.DataFrame, truth: float | str, confidence: float) -> Replicates:
    """Return the replicates of all rows, whatever their group."""
    rows = len(data)
    if isinstance(truth, str):
        true = _numbers(data, truth)
    else:
        true = np.full(rows, np.nan)
        with suppress(TypeError):
            true[:] = float(truth)
        if not np.isfinite(true).all():
            raise ConfigError(
                f"truth must be a finite number or the name of a column, found {truth!r}"
            )

    def column(name: str, default: float) -> Floats:
        return _numbers(data, name) if name in data else np.full(rows, default)

    tests = {
        name: _numbers(data, name) for name in ("p_value", "conf_low", "conf_high") if name in data
    }
    df = column("df", np.inf)
    _check(column("std_error", np.nan), tests)
    return Replicates.of(
        _numbers(data, "estimate"),
        true,
        column("std_error", np.nan),
        np.where(np.isnan(df), np.inf, df),
        **tests,
        confidence=confidence,
    )


def _check(std_error: Floats, tests: Mapping[str, Floats]) -> None:
    """Raise DataError for impossible numbers."""
    nothing = np.full(std_error.shape, np.nan)
    p_value = tests.get("p_value", nothing)
    low, high = (tests.get(name, nothing) for name in ("conf_low", "conf_high"))
    if ("conf_low" in tests) != ("conf_high" in tests):
        there, other = ("conf_low", "conf_high")[:: 1 if "conf_low" in tests else -1]
        raise DataError(f"the estimates have a column {there!r} but no column {other!r}")
    for problem, wrong in (
        ("std_error must not be negative", std_error < 0),
        ("p_value must be between 0 and 1", (p_value < 0) | (p_value > 1)),
        ("conf_low must not be above conf_high", low > high),
    ):
        if wrong.any():
            raise DataError(f"{problem}, as it is in row {int(np.flatnonzero(wrong)[0])}")


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


def _groups(
    data: pd.DataFrame, keys: Sequence[str]
) -> Iterator[tuple[tuple[Any, ...], NDArray[np.intp]]]:
    """Yield each group in order of appearance: the values of its keys, the places of its rows."""
    if not keys:
        yield (), np.arange(len(data))
        return
    grouped = data.groupby(list(keys), sort=False, dropna=False, observed=True)
    code = grouped.ngroup().to_numpy()
    order = np.argsort(code, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
        if members.size:
            yield tuple(data[key].iloc[members[0]] for key in keys), members


def _partners(
    data: pd.DataFrame, keys: Sequence[str], reference: Mapping[str, Any], replicate: str
) -> NDArray[np.intp]:
    """Return (rows,) the place of the reference's row of the same replicate, -1 without one."""
    import pandas as pd

    if not isinstance(reference, Mapping):
        raise ConfigError(
            "reference must be some columns of 'by' and the value of each, such as "
            f"{{'strategy': 'ols'}}, found {reference!r}"
        )
    for key in reference:
        if key not in keys:
            raise ConfigError(f"reference: {key!r} is not among the columns of 'by'")
    if replicate not in data:
        raise DataError(
            f"the estimates have no column {replicate!r}, which is to pair their rows with the "
            "reference's; name theirs as 'replicate'"
        )
    shared = [*(key for key in keys if key not in reference), replicate]
    is_reference = np.ones(len(data), dtype=bool)
    for key, value in reference.items():
        is_reference &= (data[key] == value).to_numpy()
    if not is_reference.any():
        raise DataError(f"no row of the estimates is of the reference {dict(reference)!r}")
    rows = data[shared].reset_index(drop=True)
    chosen = rows[is_reference]
    twice = chosen.duplicated()
    if twice.any():
        first = chosen[twice].iloc[0][replicate]
        raise DataError(f"the reference has more than one row of {replicate} {first} in a group")
    found = rows.merge(chosen.assign(_place=chosen.index), on=shared, how="left")
    place: NDArray[np.intp] = pd.Series(found["_place"]).fillna(-1).to_numpy(dtype=np.intp)
    return place

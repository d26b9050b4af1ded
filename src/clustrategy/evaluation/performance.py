"""Performance measures of any table of estimates whose truth is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.errors import ConfigError, DataError
from clustrategy.core.inference import CONFIDENCE
from clustrategy.core.shard import Ints
from clustrategy.core.validation import arguments, described
from clustrategy.evaluation import measures
from clustrategy.evaluation.measures import LEVEL, MEASURES, NAMES, Settings
from clustrategy.evaluation.tidy_estimates import (
    TRUTH,
    USABLE,
    WHAT,
    codes_of,
    combined,
    groups,
    keys_of,
    replicates_of,
    statuses,
    usable_rows,
)
from clustrategy.tables.frames import frame, numbers

if TYPE_CHECKING:
    import pandas as pd

RESULT = ("measure", "value", "mcse", "n")

_ARGUMENTS = {
    "truth": TRUTH,
    "by": {
        "type": "array",
        "items": {"type": "string", "expected": "the name of a column"},
    },
    "alpha": LEVEL,
    "confidence": LEVEL,
    "usable": USABLE,
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
    keys = keys_of(table, known["by"], RESULT)
    settings = Settings(known["alpha"], known["confidence"], known["mcse"] == "jackknife")
    estimate = numbers(table, "estimate", WHAT)
    good = np.isfinite(estimate)
    if "status" in table:
        good &= usable_rows(statuses(table), known["usable"])
    replicates = replicates_of(table, estimate, known["truth"], good, known["confidence"])
    names = _computable(table)
    codes = [codes_of(table, key) for key in keys]
    partner = None
    if reference is not None:
        partner = _partners(table, dict(zip(keys, codes, strict=True)), reference, replicate)
    rows: list[tuple[Any, ...]] = []
    for members in groups(codes, len(table)):
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
    own = codes_of(data, replicate)
    group = combined(list(codes.values()), len(data))
    once = combined([group, own], len(data))
    twice = np.flatnonzero((np.bincount(once) > 1)[once])
    if twice.size:
        row = int(twice[0])
        who = "the reference" if is_reference[row] else _name(data, codes, row)
        raise DataError(
            f"{who} has more than one row of {replicate} {data[replicate].iloc[row]} in a group; "
            "rows are paired by it"
        )
    context = combined([code for key, code in codes.items() if key not in reference], len(data))
    paired = combined([context, own], len(data))
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

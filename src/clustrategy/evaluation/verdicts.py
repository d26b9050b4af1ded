"""Verdicts on any table of estimates whose truth is known, or of performance measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from clustrategy.core.cells import Cell
from clustrategy.core.errors import ConfigError, DataError
from clustrategy.core.inference import CONFIDENCE
from clustrategy.core.shard import Floats, Ints
from clustrategy.core.validation import arguments, described
from clustrategy.evaluation import promises
from clustrategy.evaluation.cell_verdicts import (
    ADJUSTED,
    ALL,
    BIAS,
    COVERAGE,
    DETECTABLE,
    FALSE_POSITIVES,
    NOT_EQUIVARIANT,
    POWER,
    SCHEMA,
    SE_ERROR,
    SINGULAR,
    UNUSABLE,
    Judged,
    Key,
    Rules,
    row,
)
from clustrategy.evaluation.measures import LEVEL, NOT_BY_T
from clustrategy.evaluation.over_cells import Scope, over_cells
from clustrategy.evaluation.promises import Found, Sample
from clustrategy.evaluation.regions import Regions
from clustrategy.evaluation.tidy_estimates import (
    TRUTH,
    USABLE,
    WHAT,
    codes_of,
    groups,
    keys_of,
    replicates_of,
    statuses,
    usable_rows,
)
from clustrategy.evaluation.wilson import wilson
from clustrategy.tables.estimates import NULLS
from clustrategy.tables.frames import EXACT, frame, numbers, require

if TYPE_CHECKING:
    import pandas as pd

RESULT = tuple(
    name
    for name in SCHEMA.names
    if name not in ("scope", "strategy", "kind", "terms", "coefficient")
)
"""The columns of verdicts behind those of `by`."""

NEEDS_ESTIMATES = "needs the estimates, not their performance"
NOT_AT_0 = "the rejection rate is that of a false hypothesis: the true value is not 0"
NO_STD_ERROR = "no column 'std_error'"

_TIMES = {"type": "number", "minimum": 0, "expected": "a number of at least 0"}
_COLUMNS = {"type": "array", "items": {"type": "string", "expected": "the name of a column"}}
_ARGUMENTS = {
    "truth": TRUTH,
    "by": _COLUMNS,
    "over": _COLUMNS,
    "effects": {
        "type": "array",
        "items": {"type": "number", "exclusiveMinimum": 0, "expected": "a number greater than 0"},
    },
    "equivariant": {"type": "boolean"},
    "alpha": LEVEL,
    "confidence": LEVEL,
    "usable": USABLE,
    "replicate": {"type": "string", "expected": "the name of a column"},
    "lower": _TIMES,
    "upper": _TIMES,
    "liberal": _TIMES,
}


def verdicts(
    estimates: object,
    truth: float | str = "true_value",
    *,
    by: str | Sequence[str] = (),
    over: str | Sequence[str] = (),
    effects: float | Sequence[float] = (),
    equivariant: bool = False,
    alpha: float = 0.05,
    confidence: float = CONFIDENCE,
    usable: str | Sequence[str] = ("ok", "singular"),
    replicate: str = "sim",
    lower: float = 0.5,
    upper: float = 1.3,
    liberal: float = 1.5,
) -> pd.DataFrame:
    """Judge strategies by their false positives, and by what else they promise.

    Parameters
    ----------
    estimates : DataFrame or other table
        A row per replicate and term, as `performance` takes it: `estimate` and, as far as they are
        there, `std_error`, `df`, `p_value`, `conf_low`, `conf_high` and `status`. Or a table of
        performance measures, with columns `measure`, `value` and `n`: then there are verdicts on
        those measures alone.
    truth : float or str
        The true value, or the column that holds it.
    by : str or Sequence of str, optional
        Columns whose values make the groups: strategy, term, and the factors of the cells. Rows of
        a group with one value of `replicate` are terms of one dataset and are taken together, with
        their dependence in the Monte Carlo errors; so name the term, unless terms are alike.
    over : str or Sequence of str, optional
        Those of `by` that tell cells apart. Of each group of the others there are also rows over
        all cells, in which these columns are missing: the worst cell and the range.
    effects : float or Sequence of float, optional
        The coefficients at which the power is asked for. Of tests that resample it is known where
        the table has `p_value_nulls`, as a study's `estimates.parquet`, and these are the effects
        of that study's config, in their order.
    equivariant : bool
        Whether the strategies depend on the coefficients by a shift alone (adding X d to the
        response adds d to the estimates and changes nothing else): then their power follows from
        any table. docs/verdicts.md says of which strategies it holds.
    alpha : float
        Level of the tests.
    confidence : float
        Level of the intervals that decide.
    usable : str or Sequence of str
        The values of `status` whose numbers count.
    replicate : str
        The column that tells datasets apart. Without it each row is a dataset.
    lower, upper, liberal : float
        A false-positive rate below `lower` alpha is conservative, up to `upper` alpha holds, above
        `liberal` alpha is liberal, and between the last two slightly liberal.

    Returns
    -------
    DataFrame
        A row per group, measure and effect: the `by` columns and those of `verdicts.parquet`
        (docs/verdicts.md). `verdict` is `holds`, `conservative`, `slightly_liberal`, `liberal` or
        `undecided`, of a bias `holds`, `biased` or `undecided`; `safe` tells whether the upper
        limit of the false-positive rate is at most `upper` alpha and at most 5 % of the fits are
        unusable. What has no value is missing, and `note` says why.

    Raises
    ------
    DataError
        If a column is not there or does not hold what it should.
    ConfigError
        If an argument is not one of those allowed.

    References
    ----------
    Bradley (1978), Robustness? British Journal of Mathematical and Statistical Psychology 31,
    144-152. Wilson (1927), JASA 22, 209-212. Holm (1979), Scandinavian Journal of Statistics 6,
    65-70.

    Examples
    --------
    A method that rejects 3 of 400 true hypotheses, and one that rejects 60:

    >>> import pandas as pd
    >>> from clustrategy import verdicts
    >>> table = pd.DataFrame({
    ...     "method": ["A"] * 400 + ["B"] * 400,
    ...     "estimate": ([0.5] * 3 + [0.1] * 397) + ([0.5] * 60 + [0.1] * 340),
    ...     "std_error": 0.2,
    ... })
    >>> found = verdicts(table, truth=0, by="method")
    >>> shown = found[found["measure"] == "false_positive_rate"]
    >>> columns = ["method", "value", "conf_low", "conf_high", "verdict", "safe"]
    >>> print(shown[columns].round(3).to_string(index=False))
    method  value  conf_low  conf_high      verdict  safe
         A  0.007     0.003      0.022 conservative  True
         B  0.150     0.118      0.188      liberal False
    """
    import pandas as pd

    table = frame(estimates, WHAT)
    known = arguments(
        {
            "truth": truth,
            "by": [by] if isinstance(by, str) else by,
            "over": [over] if isinstance(over, str) else over,
            "effects": [effects] if isinstance(effects, int | float) else effects,
            "equivariant": equivariant,
            "alpha": alpha,
            "confidence": confidence,
            "usable": [usable] if isinstance(usable, str) else usable,
            "replicate": replicate,
            "lower": lower,
            "upper": upper,
            "liberal": liberal,
        },
        _ARGUMENTS,
    )
    keys = keys_of(table, known["by"], RESULT)
    for key in known["over"]:
        if key not in keys:
            raise ConfigError(f"over: {key!r} is not among the columns of 'by'")
    if not 0 <= lower <= 1 <= upper <= liberal < 1 / alpha:
        raise ConfigError(
            "lower, upper and liberal must be 0 <= lower <= 1 <= upper <= liberal < 1 / alpha, "
            f"found {lower:g}, {upper:g} and {liberal:g} with an alpha of {alpha:g}"
        )
    rules = Rules(
        Regions(alpha, lower, upper, liberal, confidence), [*map(float, known["effects"])]
    )
    if isinstance(known["truth"], str):
        require(table, known["truth"], WHAT)
    judge = _of_performance if "measure" in table and "estimate" not in table else _of_estimates
    cells = list(judge(table, keys, known, rules))
    rows = [
        {**row(key, each, cells=1), **_values(table, keys, place)}
        for place, judged in cells
        for key, each in judged.items()
    ]
    if known["over"]:
        rows += _over(table, keys, known["over"], cells, rules)
    result = pd.DataFrame(rows, columns=[*keys, *RESULT])
    for key in keys:
        if pd.api.types.is_numeric_dtype(table[key]):
            result[key] = pd.to_numeric(result[key])
    result["effect"] = result["effect"].astype(float)
    return result


def _values(table: pd.DataFrame, keys: Sequence[str], place: int) -> dict[str, Any]:
    return {key: table[key].iloc[place] for key in keys}


Group = tuple[int, dict[Key, Judged]]
"""The place of a group's first row, and what there is to say of the group."""


def _of_estimates(
    table: pd.DataFrame, keys: Sequence[str], known: Mapping[str, Any], rules: Rules
) -> Iterator[Group]:
    """Judge the groups of a table of estimates."""
    confidence = rules.regions.confidence
    estimate = numbers(table, "estimate", WHAT)
    good = np.isfinite(estimate)
    status = statuses(table) if "status" in table else None
    if status is not None:
        good &= usable_rows(status, known["usable"])
    whole = replicates_of(table, estimate, known["truth"], good, CONFIDENCE)
    std_error, df = (
        numbers(table, name, WHAT) if name in table else np.full(len(table), np.nan)
        for name in ("std_error", "df")
    )
    df[np.isnan(df)] = np.inf
    listed = _listed(table)
    foreign = np.isnan(whole.p_null) & ~np.isnan(whole.p_value)
    at_truth = np.where(whole.truth == 0, whole.p_value, np.nan)
    missing = promises.NO_FIT if "std_error" in table else NO_STD_ERROR
    dataset = codes_of(table, known["replicate"]) if known["replicate"] in table else None
    for members in groups([codes_of(table, key) for key in keys], len(table)):
        place = _places(members, dataset)

        def laid_out(
            column: Floats, members: Ints = members, place: tuple[Ints, Ints] = place
        ) -> Floats:
            out = np.full((place[0].max() + 1, place[1].max() + 1), np.nan)
            out[place] = np.where(good[members], column[members], np.nan)
            return out

        own, no_power = None, "" if known["equivariant"] else NOT_EQUIVARIANT
        if listed is not None and not np.isnan(listed[members]).all():
            own = np.array([laid_out(column) for column in listed.T])
            if len(own) != 1 + len(rules.effects_of(())):
                no_power = no_power or promises.LISTED_ONLY
        elif (foreign & good)[members].any():
            own = laid_out(at_truth)[None]
            no_power = no_power or NOT_BY_T
        sample = Sample(
            laid_out(whole.error),
            laid_out(std_error),
            laid_out(df),
            laid_out(whole.low),
            laid_out(whole.high),
            own,
            missing,
        )
        usable = np.asarray(~np.isnan(sample.error).all(axis=0))
        sims = usable.size
        lost = promises.rate((~usable[None]).astype(float), confidence)
        of_group = rules.judge(
            sample,
            (),
            unusable=lost.value,
            sims=sims,
            finite_variance=True,
            no_power=no_power,
        )
        judged = {Key("", None, measure, effect): each for measure, effect, each in of_group}
        if status is not None:
            singular = np.zeros((1, sims))
            singular[0, place[1][status.iloc[members].to_numpy() == "singular"]] = 1.0
            judged[Key("", None, SINGULAR)] = Judged((), promises.rate(singular, confidence))
        judged[Key("", None, UNUSABLE)] = Judged((), lost)
        yield int(members[0]), judged


def _places(members: Ints, dataset: Ints | None) -> tuple[Ints, Ints]:
    """Return of each row of a group the place of its term, and that of its dataset."""
    if dataset is None:
        return np.zeros(members.size, dtype=np.int64), np.arange(members.size)
    _, column = np.unique(dataset[members], return_inverse=True)
    order = np.argsort(column, kind="stable")
    first = np.r_[True, np.diff(column[order]) > 0]
    starts = np.flatnonzero(first)
    term = np.empty(members.size, dtype=np.int64)
    term[order] = np.arange(members.size) - np.repeat(starts, np.diff(np.r_[starts, members.size]))
    return term, np.asarray(column)


def _listed(table: pd.DataFrame) -> Floats | None:
    """Return (rows, k) the p-values at the truth, and less each effect, where they are not of t.

    They are NaN where the t distribution gives them; there is nothing where it gives all.
    """
    if NULLS not in table:
        return None
    lists: list[Floats] = []
    absent = table[NULLS].isna()
    for place, (value, is_absent) in enumerate(zip(table[NULLS], absent, strict=True)):
        with suppress(TypeError, ValueError):
            lists.append(np.asarray([] if is_absent else value, dtype=float))
        if len(lists) <= place or lists[place].ndim != 1:
            raise DataError(
                f"the column {NULLS!r} of {WHAT} must hold lists of numbers, found "
                f"{described(value)} in row {place}"
            )
    widths = {one.size for one in lists if one.size}
    if len(widths) > 1:
        few, many, *_ = sorted(widths)
        raise DataError(
            f"the column {NULLS!r} of {WHAT} must hold lists of one length, found {few} and {many}"
        )
    if not widths:
        return None
    (width,) = widths
    return np.array([one if one.size else np.full(width, np.nan) for one in lists])


def _of_performance(
    table: pd.DataFrame, keys: Sequence[str], known: Mapping[str, Any], rules: Rules
) -> Iterator[Group]:
    """Judge the groups of a table of performance measures."""
    for name in ("measure", "value", "n"):
        require(table, name, WHAT)
    value, n = numbers(table, "value", WHAT), numbers(table, "n", WHAT)
    mcse = numbers(table, "mcse", WHAT) if "mcse" in table else np.full(len(table), np.nan)
    truth = known["truth"]
    true = numbers(table, truth, WHAT) if isinstance(truth, str) else np.full(len(table), truth)
    chosen = np.ones(len(table), dtype=bool)
    if "handling" in table and "handling" not in keys:
        chosen = table["handling"].to_numpy() == "case_wise"
    names = table["measure"].to_numpy()
    for members in groups([codes_of(table, key) for key in keys], len(table)):
        rows = {str(names[i]): i for i in members if chosen[i]}
        twice = [name for name in rows if (names[members][chosen[members]] == name).sum() > 1]
        if twice:
            raise DataError(
                f"a group has more than one row of {twice[0]!r}; name in 'by' what tells them apart"
            )

        def found(name: str, rows: Mapping[str, int] = rows) -> Found:
            place = rows.get(name)
            if place is None or not np.isfinite(value[place]):
                return Found(note=f"no {name}")
            if not 1 <= n[place] <= EXACT:
                raise DataError(
                    f"n must be at least 1 where there is a value, which it is not in row {place}"
                )
            if name != SE_ERROR and not 0 <= value[place] <= 1:
                raise DataError(f"{name} must be between 0 and 1, as it is not in row {place}")
            return _interval(name, value[place], mcse[place], int(n[place]), rules)

        lost = found(UNUSABLE)
        unusable = lost.value if lost.n else 0.0
        is_size = true[members[0]] == 0
        rate = found("rejection_rate") if is_size else Found(note=NOT_AT_0)
        nothing = Judged((), Found(note=NEEDS_ESTIMATES))
        held, error = found(COVERAGE), found(SE_ERROR)
        judged = {
            FALSE_POSITIVES: rules.false_positives(rate, (), unusable, rate.n),
            COVERAGE: rules.promise(COVERAGE, held, (), held.n),
            SE_ERROR: rules.promise(SE_ERROR, error, (), error.n),
            BIAS: nothing,
            DETECTABLE: nothing,
            UNUSABLE: Judged((), lost),
        }
        keyed = {Key("", None, measure): each for measure, each in judged.items()}
        for measure in (POWER, ADJUSTED):
            keyed |= {Key("", None, measure, effect): nothing for effect in rules.effects_of(())}
        yield int(members[0]), keyed


def _interval(name: str, value: float, mcse: float, n: int, rules: Rules) -> Found:
    """Return a measure of a performance table with its interval."""
    confidence = rules.regions.confidence
    if name == SE_ERROR:
        return Found(value, mcse, *promises.normal_interval(value, mcse, confidence), n)
    low, high = wilson(value, n, confidence)
    return Found(value, mcse, float(low), float(high), n, float(n))


def _over(
    table: pd.DataFrame,
    keys: Sequence[str],
    over: Sequence[str],
    cells: Sequence[Group],
    rules: Rules,
) -> list[dict[str, Any]]:
    """Return the rows over all cells of each group of the columns that tell no cells apart."""
    others = [key for key in keys if key not in over]
    firsts = table.iloc[[place for place, _ in cells]]
    rows = []
    for chosen in groups([codes_of(firsts, key) for key in others], len(firsts)):
        members = [cells[i] for i in chosen]
        values = _values(table, others, members[0][0])
        named: list[Cell] = [
            {key: str(table[key].iloc[place]) for key in over} for place, _ in members
        ]
        by_cell = [one for _, one in members]
        scope = Scope(ALL, {}, tuple(range(len(members))))
        for line in over_cells(named, by_cell, scope, rules, {}):
            rows.append({**line, **values, **dict.fromkeys(over)})
    return rows

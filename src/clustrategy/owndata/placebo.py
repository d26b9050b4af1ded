"""The placebo check: whether tests reject on the real outcome as often as on simulated ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from clustrategy.core.errors import ConfigError
from clustrategy.core.fits import have_numbers
from clustrategy.core.inference import t_inference
from clustrategy.core.one_design import on_one_design
from clustrategy.core.shard import Floats, Shard
from clustrategy.design.full_rank import solve_full_rank
from clustrategy.dgp.given import GivenProcess, draw_given
from clustrategy.dgp.seeds import cell_key
from clustrategy.engines.chosen import Strategy
from clustrategy.owndata.placebo_words import LEVEL, sentence
from clustrategy.owndata.placebos import Placebos, placebos
from clustrategy.strategies.registry import DEFAULT_ENGINE

FEWEST_OUTCOMES = 39
"""With fewer simulated outcomes no rate could lie outside an interval of 95 %."""

FEWEST_USABLE = 0.5
"""The share of placebos whose fits must be usable for a rate to be told."""

ROUNDING = 1e-9
"""Numbers that differ by a smaller share are the same."""

RESAMPLES = "it resamples, which takes too long for so many placebos"
ONE_BY_ONE = "its engine is too slow for so many placebos"
NOT_TESTED = "the strategy does not test this coefficient"
UNUSABLE = "fewer than half of its fits to placebos are usable"

SCHEMA = pa.schema(
    [
        ("term", pa.string()),
        ("strategy", pa.string()),
        ("placebo", pa.string()),
        ("placebos", pa.int64()),
        ("outcomes", pa.int64()),
        ("rate", pa.float64()),
        ("expected", pa.float64()),
        ("expected_mcse", pa.float64()),
        ("expected_low", pa.float64()),
        ("expected_high", pa.float64()),
        ("p_value", pa.float64()),
        ("p_value_all", pa.float64()),
        ("agrees", pa.bool_()),
        ("note", pa.string()),
        ("sentence", pa.string()),
    ]
)
"""Of the table that `placebo` returns."""


def placebo(
    shard: Shard,
    terms: Mapping[str, Sequence[int]],
    strategies: Sequence[Strategy],
    process: GivenProcess,
    *,
    seed: int,
    draws: int = 50,
    outcomes: int = 99,
    alpha: float = 0.05,
    usable: Sequence[str] = ("ok", "singular"),
) -> pa.Table:
    """Compare false positives on the real outcome with those on outcomes of the working model.

    A term is replaced by placebos (`placebos`), and each strategy tests these on the real outcome.
    Their share of rejections comes from a single outcome, so that it is not compared with alpha: it
    is compared with the same share on outcomes simulated from the working model, with the very same
    placebos. The real outcome is one more of these if the working model is right, whatever the
    placebos, and the p-value of its rank is valid with any number of them (Dwass 1957, Ann Math
    Stat 28, 181-187). Agreement supports the working model, as far as these tests feel it; it is no
    proof; and as the model's variances come from the same outcome, the check is rather too cautious
    than too strict. With few placebos rates are coarse: that of 50 placebos has a standard error of
    up to 7 points, at 5 % of 3, in the real rate as in the simulated ones.

    First what least squares fits is taken from every outcome, the real effects with it: a true
    effect, whose placebo is none, would only add to the errors.

    Parameters
    ----------
    shard : Shard
        One's own table, X of full rank.
    terms : mapping of str to sequence of int
        The terms of the formula but the intercept, and the columns of X that each has, as of
        `Design`.
    strategies : sequence of Strategy
        What tests. Those that resample, or have an engine other than `DEFAULT_ENGINE`, are left
        out.
    process : GivenProcess
        The working model on this design, as of the scenario `estimated`.
    seed : int
        The seed of placebos and outcomes. Those of a term do not depend on the other terms, nor
        anything on the strategies.
    draws : int
        Placebos of each term.
    outcomes : int
        Simulated outcomes, at least `FEWEST_OUTCOMES`.
    alpha : float
        The level of the tests.
    usable : sequence of str
        The statuses of fits that count.

    Returns
    -------
    pyarrow.Table
        As `SCHEMA`, a row per coefficient but the intercept and strategy:

        - `placebo`: how placebos were made; `placebos`, `outcomes`: how many, and how many
          simulated outcomes they were tested on;
        - `rate`: the share of placebos that are rejected on the real outcome;
        - `expected`, `expected_mcse`: the mean share on simulated outcomes, and its Monte Carlo
          standard error;
        - `expected_low`, `expected_high`: between them lie 95 % of these shares;
        - `p_value`: two-sided, of the rank of the real share; at most 5 % are at most 0.05 if the
          working model is right, and fewer where shares are equal;
        - `p_value_all`: the same corrected for all rows of the table (the largest deviation in
          standard deviations; Westfall & Young 1993);
        - `agrees`: whether `rate` is inside the interval;
        - `note`: what is to be known of the placebos, or why there are no numbers;
        - `sentence`: the finding.

    Raises
    ------
    DataError
        If coefficients depend on each other.
    ConfigError
        If there is no strategy, or a number is out of range.
    ValueError
        If the process belongs to another design.
    """
    _check(shard, strategies, process, draws, outcomes, alpha)
    solve_full_rank(shard)
    simulated = draw_given(process, seed, "placebo", range(outcomes)).y.reshape(outcomes, -1)
    Q = np.linalg.qr(shard.X)[0]
    y = np.vstack([shard.y, simulated])
    y -= (y @ Q) @ Q.T
    rows: list[dict[str, Any]] = []
    shares: list[Floats] = []
    for term, columns in terms.items():
        key = cell_key({"placebo": term})
        generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
        made = placebos(shard, columns, draws, generator)
        found = _rates(made, strategies, y, alpha, usable)
        for place, column in enumerate(columns):
            for strategy, (rate, note) in zip(strategies, found, strict=True):
                rows.append(
                    {
                        "term": shard.terms[column],
                        "strategy": strategy.label,
                        "placebo": made.kind if made.times.size else None,
                        "placebos": int(made.times.sum()),
                        "note": note[place] or made.note,
                    }
                )
                shares.append(rate[:, place])
    _compare(rows, np.array(shares).reshape(len(rows), outcomes + 1))
    columns_of = {name: [row.get(name) for row in rows] for name in SCHEMA.names}
    return pa.table(columns_of, schema=SCHEMA)


def _check(
    shard: Shard,
    strategies: Sequence[Strategy],
    process: GivenProcess,
    draws: int,
    outcomes: int,
    alpha: float,
) -> None:
    if not strategies:
        raise ConfigError("the placebo check needs at least one strategy")
    if draws < 1:
        raise ConfigError(f"draws must be at least 1, found {draws}")
    if outcomes < FEWEST_OUTCOMES:
        raise ConfigError(
            f"outcomes must be at least {FEWEST_OUTCOMES}, as with fewer no rate lies outside an "
            f"interval of 95 %, found {outcomes}"
        )
    if not 0.0 < alpha < 1.0:
        raise ConfigError(f"alpha must be between 0 and 1, both excluded, found {alpha:g}")
    of, on = process.shard, shard
    if not (np.array_equal(of.n, on.n) and np.array_equal(of.X, on.X)):
        raise ValueError("the process belongs to another design")


def _rates(
    made: Placebos,
    strategies: Sequence[Strategy],
    y: Floats,
    alpha: float,
    usable: Sequence[str],
) -> list[tuple[Floats, list[str]]]:
    """Return of each strategy the share of placebos it rejects, and notes.

    Parameters
    ----------
    made : Placebos
        Of one term with k columns.
    strategies : sequence of Strategy
        What tests.
    y : (O, N) array
        Outcomes.
    alpha : float
        The level of the tests.
    usable : sequence of str
        The statuses of fits that count.

    Returns
    -------
    list of ((O, k) array, list of str)
        The shares, NaN where there is none, and why there is none of the k columns.
    """
    shape = (len(y), made.columns.size)
    fitting = [s for s in strategies if not _left_out(s) and made.times.size]
    rejected = {s.label: np.zeros(shape) for s in fitting}
    tested = {s.label: np.zeros(shape) for s in fitting}
    fits_usable = {s.label: 0.0 for s in fitting}
    for one, times in zip(made.designs(), made.times.tolist(), strict=True):
        drawn = on_one_design(y, one)
        for strategy in fitting:
            fits = strategy.fit(drawn)
            counts = have_numbers(fits.status, fits.estimate.T, usable)
            places = made.columns
            p = t_inference(
                fits.estimate[:, places], fits.std_error[:, places], fits.df[:, places]
            ).p_value
            own = fits.p_value[:, places]
            p = np.where(np.isnan(own), p, own)
            rejected[strategy.label] += times * (counts[:, None] & (p < alpha))
            tested[strategy.label] += times * (counts[:, None] & np.isfinite(p))
            fits_usable[strategy.label] += times * float(counts[0])
    found = []
    for strategy in strategies:
        if strategy.label not in tested:
            found.append((np.full(shape, np.nan), [_left_out(strategy)] * shape[1]))
            continue
        some = tested[strategy.label]
        enough = some >= max(FEWEST_USABLE * made.times.sum(), 1)
        share = np.where(enough, rejected[strategy.label] / np.maximum(some, 1), np.nan)
        is_usable = fits_usable[strategy.label] >= FEWEST_USABLE * made.times.sum()
        why = NOT_TESTED if is_usable else UNUSABLE
        found.append((share, ["" if one else why for one in enough[0]]))
    return found


def _left_out(strategy: Strategy) -> str:
    """Say why a strategy is left out, if it is."""
    if strategy.resamples:
        return RESAMPLES
    return ONE_BY_ONE if strategy.engine != DEFAULT_ENGINE else ""


def _compare(rows: list[dict[str, Any]], shares: Floats) -> None:
    """Add to rows how the real outcome's share, the first, compares with the simulated ones'."""
    told = np.isfinite(shares[:, 0]) & (np.isfinite(shares).sum(axis=1) > FEWEST_OUTCOMES)
    deviations = np.zeros(shares.shape)
    for place in np.flatnonzero(told).tolist():
        known = np.isfinite(shares[place])
        spread = shares[place, known].std()
        if spread > 0.0:
            of = np.abs(shares[place, known] - shares[place, known].mean()) / spread
            deviations[place, known] = of
    # Deviations that are equal but for rounding count as equal.
    largest = deviations.max(axis=0, initial=0.0) * (1.0 + ROUNDING)
    for place, row in enumerate(rows):
        row["outcomes"] = 0
        if told[place]:
            known = shares[place, 1:][np.isfinite(shares[place, 1:])]
            row |= _against(shares[place, 0], known)
            as_far = int((largest[1:] >= deviations[place, 0]).sum())
            row["p_value_all"] = float((1 + as_far) / shares.shape[1])
        elif not row["note"]:
            row["note"] = UNUSABLE
        row["sentence"] = sentence(row)


def _against(real: float, simulated: Floats) -> dict[str, Any]:
    """Compare a share with those on simulated outcomes."""
    count = simulated.size
    ordered = np.sort(simulated)
    # So many of the least, and of the largest, are outside: the p-values there are at most LEVEL.
    outside = math.floor(LEVEL / 2.0 * (count + 1) * (1.0 + ROUNDING))
    low, high = ordered[outside - 1], ordered[-outside]
    tails = 1 + min(int((simulated <= real).sum()), int((simulated >= real).sum()))
    return {
        "outcomes": count,
        "rate": float(real),
        "expected": float(simulated.mean()),
        "expected_mcse": float(simulated.std(ddof=1) / np.sqrt(count)),
        "expected_low": float(low),
        "expected_high": float(high),
        "p_value": float(min(1.0, 2.0 * tails / (count + 1))),
        "agrees": bool(low <= real <= high),
    }

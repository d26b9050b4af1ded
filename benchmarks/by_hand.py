"""Rates of false positives on a real design: our draws beside draws made by hand.

    python -m benchmarks.by_hand TABLE FORMULA CLUSTER [--slope TERM] [--sims N]

By hand is plain NumPy: a generator of its own, a loop over datasets, X repeated. Neither
`draw_given`, nor what it computes once for all datasets, has a part in it; the strategies are the
same. Intercepts vary with a standard deviation of 0.7 beside errors of 1, the slope with 0.3 over
the predictor's own.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import keep
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.design.from_table import design_from_table
from clustrategy.dgp.given import GivenProcess, draw_given
from clustrategy.engines.chosen import Strategy
from clustrategy.tables.markdown import markdown_table
from clustrategy.tables.user_files import read_table

BLOCK = 1000
STRATEGIES: list[dict[str, Any]] = [
    {"strategy": "ols"},
    {"strategy": "cluster_robust"},
    {"strategy": "cluster_robust", "variance": "CR2", "df": "satterthwaite"},
    {"strategy": "fixed_effects"},
    {"strategy": "two_stage"},
    {"strategy": "gee"},
    {"strategy": "mixed_intercept"},
    {"strategy": "mixed_maximal"},
]


def by_hand(process: GivenProcess, rng: np.random.Generator, sims: int) -> Shard:
    """Draw datasets one after the other, in another order of numbers than ours."""
    design = process.shard
    n = design.n[0]
    deviations = np.sqrt(np.diag(process.covariance))
    responses = []
    for _ in range(sims):
        y = []
        for g in range(n.size):
            X = design.X[n[:g].sum() : n[: g + 1].sum()]
            mean = np.zeros(n[g])
            for deviation, name in zip(deviations, process.random, strict=True):
                mean += rng.normal(0.0, deviation) * X[:, design.terms.index(name)]
            y.append(rng.normal(mean, process.sigma))
        responses.append(np.concatenate(y))
    X = np.tile(design.X, (sims, 1))
    return Shard(np.concatenate(responses), X, np.tile(n, (sims, 1)), design.terms)


def hits(strategy: Strategy, shard: Shard) -> tuple[Floats, Floats]:
    """Count (p,) rejections at 5 %, and the tests that there are."""
    fits = strategy.fit(shard)
    p = t_inference(fits.estimate, fits.std_error, fits.df).p_value
    return (p < 0.05).sum(axis=0), np.isfinite(p).sum(axis=0)


def compared(process: GivenProcess, sims: int) -> list[dict[str, Any]]:
    """Find the rates of each strategy and predictor, by both draws."""
    found = []
    rng = np.random.default_rng(2024)
    strategies = [Strategy.parse(entry) for entry in STRATEGIES]
    counts = np.zeros((2, len(strategies), 2, process.shard.p))
    for first in range(0, sims, BLOCK):
        which = range(first, min(first + BLOCK, sims))
        shards = (draw_given(process, 1, "by hand", which), by_hand(process, rng, len(which)))
        for place, shard in enumerate(shards):
            for number, strategy in enumerate(strategies):
                counts[place, number] += hits(strategy, shard)
    for number, entry in enumerate(STRATEGIES):
        for k, term in enumerate(process.shard.terms[1:], start=1):
            (ours, m), (theirs, n) = counts[:, number, :, k]
            if not m or not n:
                continue
            one, other = ours / m, theirs / n
            error = np.sqrt(one * (1 - one) / m + other * (1 - other) / n)
            label = " ".join(map(str, entry.values()))
            z = (one - other) / error if error else 0.0
            found.append({"strategy": label, "term": term, "ours": one, "by_hand": other, "z": z})
    return found


def main() -> None:
    """Read the design, compare, print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table")
    parser.add_argument("formula")
    parser.add_argument("cluster")
    parser.add_argument("--slope", help="the coefficient that varies, beside the intercept")
    parser.add_argument("--sims", type=int, default=20_000)
    options = parser.parse_args()
    shard = design_from_table(read_table(options.table), options.formula, options.cluster).shard
    random, deviations = [INTERCEPT], [0.7]
    if options.slope:
        if options.slope not in shard.terms:
            sys.exit(f"--slope must be one of {', '.join(shard.terms)}, found {options.slope}")
        random.append(options.slope)
        deviations.append(0.3 / shard.X[:, shard.terms.index(options.slope)].std())
    process = GivenProcess(shard, tuple(random), np.diag(np.square(deviations)), 1.0)
    found = compared(process, options.sims)
    body = [
        [one["strategy"], one["term"], f"{100 * one['ours']:.2f}", f"{100 * one['by_hand']:.2f}"]
        + [f"{one['z']:.1f}"]
        for one in found
    ]
    head = ["strategy", "term", "ours, %", "by hand, %", "difference in Monte Carlo SE"]
    print(f"{options.sims:,} datasets each of {options.formula} by {options.cluster}\n")
    print("\n".join(markdown_table(head, body)))
    keep(
        f"by_hand_{Path(options.table).stem}",
        {"sims": options.sims, "formula": options.formula, "rates": found},
    )


if __name__ == "__main__":
    main()

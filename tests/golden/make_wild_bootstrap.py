"""Wild cluster bootstrap p-values of datasets.csv by wildboottest, all sign vectors taken.

Its own p-value compares without a tolerance, so that rounding decides on ties: here its bootstrap
statistics are counted anew, ties apart. Needs wildboottest 0.3.2, pandas and numpy below 2.4.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from wildboottest.wildboottest import WildboottestCL

HERE = Path(__file__).parent
CLUSTERS = {
    "balanced-10x5-0.1": 10,
    "balanced-10x5-1.0": 10,
    "balanced-10x25-4.0": 10,
    "unbalanced-10x25-0.1": 10,
    "unbalanced-10x25-4.0": 8,
    "unbalanced-30x5-0.25": 9,
    "sleepstudy": 6,
    "sleepstudy-unbalanced": 9,
}
"""Of each dataset so many clusters, the first ones."""


VARIANTS = {"C": "11", "S": "31", "V": "13", "B": "33"}
"""What MacKinnon, Nielsen & Webb (2023) and wildboottest call the members of the family."""


def shares(
    X: np.ndarray, y: np.ndarray, cluster: np.ndarray, column: int, variant: str, null: bool
) -> list:
    """The shares of sign vectors with |t*| >= |t| and with |t*| > |t|."""
    one = np.zeros(X.shape[1])
    one[column] = 1.0
    boot = WildboottestCL(X=X, Y=y, cluster=cluster, R=one, B=99999, seed=1, parallel=False)
    boot.get_scores(bootstrap_type=VARIANTS[variant], impose_null=null)
    _, draws, everything = boot.get_weights(weights_type="rademacher")
    assert everything and draws == 2 ** len(set(cluster))
    boot.get_numer()
    boot.get_denom()
    boot.get_tboot()
    boot.get_vcov()
    boot.get_tstat()
    ratio = np.abs(boot.t_boot) / np.abs(boot.t_stat)
    return [float((ratio >= 1 - 1e-8).mean()), float((ratio > 1 + 1e-8).mean())]


def main() -> None:
    """Write wild_bootstrap.json."""
    table = pd.read_csv(HERE / "datasets.csv")
    datasets = {}
    for name, clusters in CLUSTERS.items():
        rows = table[(table["dataset"] == name) & (table["cluster"] <= clusters)]
        terms = [x for x in ("x1", "x2", "x3") if rows[x].notna().all()]
        X = np.column_stack([np.ones(len(rows)), rows[terms]])
        y, cluster = rows["y"].to_numpy(), rows["cluster"].to_numpy()
        columns = range(X.shape[1])
        datasets[name] = {"clusters": clusters} | {
            word: {
                variant: [shares(X, y, cluster, column, variant, null) for column in columns]
                for variant in VARIANTS
            }
            for word, null in (("restricted", True), ("unrestricted", False))
        }
    out = {"wildboottest": version("wildboottest"), "datasets": datasets}
    (HERE / "wild_bootstrap.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Take three datasets and their best known optima out of a folder of reference numbers.

python make_optimum.py FOLDER, which holds datasets.parquet and best_optimum.csv: see README.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
# 10 clusters of 5, 10 of 5 and 10 of 100, where lme4's default stops 0.008, 0.8 and 2.4 above
DATASETS = [0, 2, 20]


def main(folder: Path) -> None:
    """Write optimum_datasets.csv and optimum.csv."""
    rows = pd.read_parquet(folder / "datasets.parquet")
    rows = rows[rows["dataset"].isin(DATASETS)]
    rows[["dataset", "Group", "DV", "IV1", "IV2", "IV3"]].to_csv(
        HERE / "optimum_datasets.csv", index=False
    )
    best = pd.read_csv(folder / "best_optimum.csv", dtype=str)
    columns = ["dataset", "crit_lme4_default", "crit_best", "crit_mis"]
    columns += [f"{name}{k}" for name in ("beta", "se") for k in range(4)]
    best[best["dataset"].isin(map(str, DATASETS))][columns].to_csv(
        HERE / "optimum.csv", index=False
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

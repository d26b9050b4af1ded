"""Draw the datasets on which random effects are selected, then let R do so: see README.md."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SEED = 20260722
SIGMAS = (0.1, 0.25, 0.5, 1.0, 2.0)
SIZES = ((10, 6), (30, 5))
# Of the random intercept and slopes, in units of sigma, and the correlation of any two.
EFFECTS = (
    ((1.0, 1.0, 1.0, 1.0), 0.0),
    ((1.0, 1.0, 0.5, 0.0), 0.0),
    ((1.0, 1.0, 1.0, 1.0), 0.8),
    ((1.0, 1.0, 0.0, 0.0), 0.0),
)


def write(path: Path) -> None:
    """`dataset,cluster,y,x1,x2,x3`, the numbers rounded to what is written."""
    lines = ["dataset,cluster,y,x1,x2,x3"]
    number = 0
    for clusters, rows in SIZES:
        for sigma in SIGMAS:
            for multiples, correlation in EFFECTS:
                rng = np.random.default_rng([SEED, number])
                covariance = np.outer(multiples, multiples) * sigma**2
                covariance *= correlation + (1.0 - correlation) * np.eye(4)
                b = 0.5 + rng.multivariate_normal(np.zeros(4), covariance, clusters)
                for g in range(clusters):
                    # some clusters have lost a row, but in a third of the datasets
                    n = rows + 1 - (g % 2 if number % 3 else 0)
                    x = np.column_stack([np.ones(n), rng.standard_normal((n, 3))])
                    y = x @ b[g] + rng.standard_normal(n)
                    for row in np.column_stack([y, x[:, 1:]]):
                        lines.append(",".join([f"{number},{g + 1}", *(f"{v:.3f}" for v in row)]))
                number += 1
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write(HERE / "selection_datasets.csv")
    subprocess.run(["Rscript", "--vanilla", "selection.R"], cwd=HERE, check=True)

"""Draw the datasets of the golden numbers, then let R analyse them: see README.md."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import numpy as np

from clustrategy.dgp import Process, simulate

HERE = Path(__file__).parent
SEED = 20260714

# clusters, rows per cluster, between_cluster_sigma, sim
BALANCED: list[tuple[int, int, float, int]] = [
    (10, 5, 0.1, 0),
    (10, 5, 1.0, 1),
    (10, 5, 4.0, 0),
    (30, 5, 0.1, 0),
    (30, 5, 1.0, 0),
    (10, 25, 0.25, 0),
    (10, 25, 4.0, 0),
    (30, 25, 0.1, 0),
    (30, 25, 1.0, 0),
    (10, 100, 0.1, 0),
    (10, 100, 4.0, 0),
]
# ... of which cluster g loses the rows beyond `least + (step * g) mod (rows - least + 1)`
UNBALANCED: list[tuple[int, int, float, int, int, int]] = [
    (30, 25, 1.0, 1, 5, 8),
    (10, 25, 0.1, 1, 4, 9),
    (30, 5, 0.25, 1, 1, 3),
    (10, 25, 4.0, 1, 5, 4),
]


def draw(clusters: int, rows: int, sigma: float, sim: int) -> tuple[np.ndarray, np.ndarray]:
    """y (G, n) and X (G, n, 3) of one dataset."""
    process = Process(clusters, rows, sigma, 3, {"uniform": [0, 1]}, 1.0)
    cell = {"clusters": clusters, "obs_per_cluster": rows, "between_cluster_sigma": sigma}
    shard = simulate(process, SEED, cell, [sim]).shard
    return shard.y.reshape(clusters, rows), shard.X[:, 1:].reshape(clusters, rows, 3)


def write(path: Path) -> None:
    """All simulated datasets, then the real ones, as `dataset,cluster,y,x1,x2,x3`."""
    with open(path, "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["dataset", "cluster", "y", "x1", "x2", "x3"])
        for clusters, rows, sigma, sim, least, step in [
            *((*case, case[1], 0) for case in BALANCED),
            *UNBALANCED,
        ]:
            y, X = draw(clusters, rows, sigma, sim)
            name = f"{'unbalanced' if step else 'balanced'}-{clusters}x{rows}-{sigma}"
            for g in range(clusters):
                for i in range(least + (step * g) % (rows - least + 1)):
                    table.writerow([name, g + 1, *map(float, (y[g, i], *X[g, i]))])
        # a predictor that lives in one cluster alone: its hat matrix has an eigenvalue of 1
        y, X = draw(10, 5, 1.0, 1)
        for g in range(10):
            for i in range(5):
                x1, dummy = float(X[g, i, 0]), int(g == 0)
                table.writerow(["one-cluster-dummy", g + 1, float(y[g, i]), x1, dummy, ""])
        real = subprocess.run(
            ["Rscript", "--vanilla", HERE / "real_data.R"],
            capture_output=True,
            check=True,
            text=True,
        )
        file.write(real.stdout)


if __name__ == "__main__":
    write(HERE / "datasets.csv")
    subprocess.run(["Rscript", "--vanilla", "golden.R"], cwd=HERE, check=True)

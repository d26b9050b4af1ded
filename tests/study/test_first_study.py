"""The conclusions, read from a study's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clustrategy.evaluation.conclusions import GRID, NAMES
from clustrategy.study.first_study import read_conclusions
from clustrategy.study.study import Study
from clustrategy.tables.files import write_parquet
from tests.evaluation.test_conclusions import LABELS, Made

CONFIG: dict[str, Any] = {
    "study": "like-the-first",
    "seed": 1,
    "sims": 24,
    "grid": {factor: [*levels] for factor, levels in GRID.items()},
    "dgp": {"predictors": 3, "coefficients": {"uniform": [0, 1]}, "residual_sigma": 1},
    "strategies": [
        {"strategy": "cluster_robust", "name": "CR0", "variance": "CR0"},
        *({"strategy": name, "name": LABELS[name]} for name in NAMES),
    ],
    "audit": None,
}


def finished(**changes: Any) -> Path:
    """Write the tables of a finished study into its folder."""
    study = Study.from_config({**CONFIG, **changes})
    study.plan.write()
    folder = Path(study.folder)
    for name, table in zip(("scores", "fits"), Made().tables(), strict=True):
        write_parquet(table, folder / f"{name}.parquet", {})
    return folder


def write_example(folder: Path, clusters: int) -> None:
    """Write a worked example in which the first conclusion holds."""
    example = folder / "worked_example"
    example.mkdir()
    groups = [group for group in range(clusters) for _ in range(50)]
    pd.DataFrame({"Group": groups, "DV": 0.5}).to_csv(example / "dataset.csv", index=False)
    rows = [
        {"strategy": LABELS[name], "se_sum": se, "t_sum": t}
        for name, (se, t) in Made().example.items()
    ]
    pd.DataFrame(rows).to_csv(example / "metrics.csv", index=False)


def test_a_study_like_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its strategies are found by what they are, not by their labels."""
    monkeypatch.chdir(tmp_path)
    folder = finished()
    verdicts = [row["verdict"] for row in read_conclusions(folder).to_pylist()]
    assert verdicts == ["undecided", *["holds"] * 18]
    write_example(folder, 50)
    assert read_conclusions(folder)["verdict"].to_pylist() == ["holds"] * 19


def test_the_first_is_of_50_clusters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = finished()
    write_example(folder, 40)
    assert read_conclusions(folder)["verdict"][0].as_py() == "undecided"


@pytest.mark.parametrize(
    "changes",
    [
        {"dgp": {**CONFIG["dgp"], "predictors": 2}},
        {"dgp": {**CONFIG["dgp"], "treatment": "between"}},
        {"strategies": [{"strategy": n, "name": LABELS[n]} for n in [*NAMES][:3]]},
        {"strategies": [*CONFIG["strategies"][:1], *CONFIG["strategies"][2:]]},
    ],
)
def test_other_studies(
    changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process, a strategy that lacks, or one that has other options."""
    monkeypatch.chdir(tmp_path)
    assert read_conclusions(finished(**changes)).num_rows == 0

"""The summary of a study: medians and success rate by strategy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from clustrategy.evaluation.medians import METRICS
from clustrategy.steps.aggregate import aggregate
from clustrategy.steps.summary import summary
from tests.study.cheap import KINDS, finished


def summed_up(
    folder: Path, usable: Sequence[str] = ("ok", "singular"), **changes: object
) -> tuple[Path, pd.DataFrame]:
    """Make a study and its summary; return that and the scores it is of."""
    plan = finished(folder, **changes)
    out = {kind: f"{folder}/{kind}.parquet" for kind in KINDS}
    aggregate(str(folder), **out)
    table = folder / "summary.csv"
    factors = list(plan.cells[0])
    summary(
        scores=out["scores"],
        fits=out["fits"],
        factors=factors,
        strategies=plan.labels,
        usable=usable,
        summary=str(table),
    )
    return table, pd.read_parquet(out["scores"])


def test_the_summary_counts_every_fit(tmp_path: Path) -> None:
    grid = {"clusters": [6], "obs_per_cluster": [2], "between_cluster_sigma": [0.5]}
    strategies = ["two_stage", "cluster_robust"]
    table, _ = summed_up(tmp_path, grid=grid, sims=4, strategies=strategies)
    none, all_of_them = pd.read_csv(table).to_dict("records")
    assert (none["strategy"], none["fits"], none["unusable_rate"]) == ("two_stage", 4, 1.0)
    assert np.isnan([none[f"median_{metric}"] for metric in METRICS]).all()
    assert (all_of_them["fits"], all_of_them["unusable_rate"]) == (4, 0.0)
    assert {none["singular_rate"], all_of_them["singular_rate"]} == {0.0}


def test_singular_fits_are_usable_and_no_fit_success(tmp_path: Path) -> None:
    grid = {"clusters": [5], "obs_per_cluster": [6], "between_cluster_sigma": [0.1, 3]}
    for usable in (("ok", "singular"), ("ok",)):
        folder = tmp_path / str(len(usable))
        folder.mkdir()
        table, scores = summed_up(folder, usable, grid=grid, sims=8, strategies=["mixed_maximal"])
        (row,) = pd.read_csv(table, float_precision="round_trip").to_dict("records")
        status = pd.read_parquet(folder / "fits.parquet")["status"]
        assert set(status) == {"ok", "singular"}
        assert row["fit_success_rate"] == np.mean(scores["fit_success"]) == np.mean(status == "ok")
        assert row["singular_rate"] == np.mean(status == "singular")
        assert row["unusable_rate"] == (0 if "singular" in usable else row["singular_rate"])


def test_the_summary_is_over_all_cells(tmp_path: Path) -> None:
    table, scores = summed_up(tmp_path, strategies=["two_stage", "cluster_robust"])
    found = pd.read_csv(table, float_precision="round_trip").set_index("strategy")
    assert list(found.index) == ["two_stage", "cluster_robust"]
    for label in found.index:
        own = scores[scores["strategy"] == label]
        for metric in ("coef_abs_err", "se_sum", "t_sum"):
            (column,) = [c for c in map(str, found) if metric in c and "mcse" not in c]
            assert found.loc[label, column] == np.median(own[metric])

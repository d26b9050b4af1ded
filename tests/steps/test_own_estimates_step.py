"""The step of the estimates on the table itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from clustrategy.owndata.fit import fit
from clustrategy.steps.own_estimates import ROWS, own_estimates, read_reservations
from clustrategy.study.study import Study

DATA = {"file": "t.csv", "formula": "y ~ x", "cluster": "g"}
FILES = ("estimates", "estimates_csv", "design", "design_csv")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study on 8 clusters of 5 rows, two of which lack x."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"g": np.repeat(np.arange(8), 5), "x": rng.normal(size=40)})
    table["y"] = 2.0 * table["x"] + rng.normal(size=40)
    table.loc[[1, 7], "x"] = np.nan
    table.to_csv("t.csv", index=False)
    wild = {"strategy": "wild_cluster_bootstrap", "draws": 99, "name": "wild"}
    config = {"study": "mine", "seed": 4, "sims": 10, "audit": None}
    found = Study.from_config({**config, "data": DATA, "strategies": ["ols", wild]})
    assert found.given is not None
    found.given.write(found.folder)
    found.plan.write()
    return found


def test_the_estimates_are_those_of_least_squares_and_of_fit(study: Study) -> None:
    own_estimates(study.folder, study.config["data"], **dict(zip(FILES, "abcd", strict=True)))
    table = pd.read_csv("t.csv").dropna()
    slope = np.polyfit(table["x"], table["y"], 1)[0]
    found = pq.read_table("a").to_pandas()
    assert found["strategy"].unique().tolist() == ["ols", "wild"]
    assert found[found["term"] == "x"]["estimate"].to_numpy() == pytest.approx(slope, rel=1e-12)
    expected = fit(
        pd.read_csv("t.csv").dropna(),
        "y ~ x",
        cluster="g",
        strategies=[one.spec for one in study.strategies],
        seed=4,
    )
    assert found["p_value"].to_numpy() == pytest.approx(expected.tidy()["p_value"].to_numpy())
    assert pd.read_csv("b")["estimate"].tolist() == found["estimate"].tolist()


def test_the_design_says_what_was_left_out(study: Study) -> None:
    own_estimates(study.folder, study.config["data"], **dict(zip(FILES, "abcd", strict=True)))
    said = pq.read_schema("c").metadata[ROWS.encode()].decode()
    assert said.startswith("40 rows read; values are missing in x (2). 38 rows in 8 clusters")
    assert pd.read_csv("d")["term"].tolist() == ["(Intercept)", "x"]


def test_what_there_is_to_mind_is_read_from_the_design(study: Study) -> None:
    assert read_reservations(study.folder) == []
    design = f"{study.folder}/own_design.parquet"
    files = dict(zip(FILES, ("a", "b", design, "d"), strict=True))
    own_estimates(study.folder, study.config["data"], **files)
    (said,) = read_reservations(study.folder)
    assert said.startswith("2 of 40 rows")

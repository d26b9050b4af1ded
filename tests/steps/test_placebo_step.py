"""The step of the placebo check: its files are the call's table, whatever ran before."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from clustrategy.core.errors import DataError
from clustrategy.design.from_table import design_from_table
from clustrategy.owndata.placebo import SCHEMA, placebo
from clustrategy.steps.placebo import placebo as write_placebo
from clustrategy.study.study import Study

SETTINGS = {"alpha": 0.1, "usable": ["ok"], "draws": 20, "outcomes": 39}


@pytest.fixture
def study(tmp_path, monkeypatch) -> Study:
    """A study on a table with a factor between clusters and a predictor within them."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(12), 5)
    data = {"g": g, "arm": np.array(["a", "b", "c"])[g % 3], "x": rng.standard_normal(60)}
    pd.DataFrame(data).assign(y=rng.standard_normal(60)).to_csv("t.csv", index=False)
    config = {
        "study": "mine",
        "seed": 4,
        "sims": 10,
        "audit": None,
        "data": {"file": "t.csv", "formula": "y ~ x + arm", "cluster": "g"},
        "strategies": ["two_stage", "ols"],
    }
    return Study.from_config(config)


def test_the_step_writes_what_the_call_returns(study, tmp_path):
    study.given.write(study.folder)
    study.plan.write()
    parquet, csv = tmp_path / "placebo.parquet", tmp_path / "placebo.csv"
    write_placebo(study.folder, SETTINGS, placebo=str(parquet), placebo_csv=str(csv))
    given = study.given
    assert {len(columns) for columns in given.formula_terms.values()} == {1, 2}
    expected = placebo(
        given.shard,
        design_from_table(pd.read_csv("t.csv"), "y ~ x + arm", "g").terms,
        study.strategies,
        given.processes["estimated"],
        seed=4,
        **SETTINGS,
    )
    found = pq.read_table(parquet)
    assert found.schema.names == SCHEMA.names
    key = [("term", "ascending"), ("strategy", "ascending")]
    assert found.replace_schema_metadata().sort_by(key).equals(expected.sort_by(key))
    assert pd.read_csv(csv)["rate"].tolist() == found["rate"].to_pylist()


def test_without_the_design_there_is_a_sentence(study):
    study.plan.write()
    with pytest.raises(DataError, match="is not there or damaged; run again"):
        write_placebo(study.folder, SETTINGS, placebo="a", placebo_csv="b")

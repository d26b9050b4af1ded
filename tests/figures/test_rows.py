"""What is read of a large table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from clustrategy.figures.p_value_ecdf import distributions
from clustrategy.figures.parts.files import Rows
from clustrategy.figures.parts.study import Study
from tests.figures.tables import DGP, STUDY, Given, make_estimates

NULL = pd.DataFrame({"term": ["IV1", "IV3"]})


def test_figures_read_what_they_need_of_a_large_table(tmp_path):
    table = make_estimates()
    table.to_parquet(tmp_path / "estimates.parquet")
    rows = Rows(tmp_path / "estimates.parquet")
    where = {"term": ["IV1"], "between_cluster_sigma": [0.5]}
    found = rows.read(["strategy", "p_value"], where)
    kept = table[(table["term"] == "IV1") & (table["between_cluster_sigma"] == 0.5)]
    assert list(found) == ["strategy", "p_value"] and found["strategy"].dtype == "category"
    np.testing.assert_array_equal(found["p_value"], kept["p_value"])
    ours = distributions(rows, NULL, Study(STUDY, [], {"dgp": DGP}))
    theirs = distributions(Given(table), NULL, Study(STUDY, [], {"dgp": DGP}))
    key = ["clusters", "obs_per_cluster", "strategy", "kind"]
    ours, theirs = (t.set_index(key).sort_index() for t in (ours, theirs))
    np.testing.assert_array_equal(np.stack(ours["share"]), np.stack(theirs["share"]))


def test_figures_find_a_level_of_zero(tmp_path):
    """pyarrow's "in" passes over a file in which a column is zero throughout."""
    table = make_estimates()
    table = table[table["between_cluster_sigma"] == 0.5].assign(between_cluster_sigma=0.0)
    table.to_parquet(tmp_path / "estimates.parquet")
    found = Rows(tmp_path / "estimates.parquet").read(["term"], {"between_cluster_sigma": [0.0]})
    assert len(found) == len(table) > 0

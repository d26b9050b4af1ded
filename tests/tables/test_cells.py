"""Cells as columns: their order, values and types."""

from __future__ import annotations

import pyarrow as pa

from clustrategy.tables.cells import with_cell


def test_each_factor_has_the_type_of_its_kind() -> None:
    cell = {
        "clusters": 5,
        "between_cluster_sigma": 1,
        "treatment": "within",
        "sigma_ratios": [1, 0.5],
        "treated": 3.0,
        "coefficients": {"uniform": [0, 1]},
    }
    table = with_cell(cell, pa.table({"sim": [3, 4]}))
    assert table.schema == pa.schema(
        [
            ("clusters", pa.int64()),
            ("between_cluster_sigma", pa.float64()),
            ("treatment", pa.string()),
            ("sigma_ratios", pa.string()),
            ("treated", pa.string()),
            ("coefficients", pa.string()),
            ("sim", pa.int64()),
        ]
    )
    row = {"clusters": 5, "between_cluster_sigma": 1.0, "treatment": "within"}
    row |= {"sigma_ratios": "1,0.5", "treated": "3", "coefficients": "uniform,0,1"}
    assert table.to_pylist() == [{**row, "sim": 3}, {**row, "sim": 4}]


def test_numbers_are_numbers_and_lists_texts_where_a_factor_may_have_either() -> None:
    numbers, lists, over = (
        with_cell({"slope_sd": value}, pa.table({"sim": [0]})) for value in (0.3, [0.0, 0.3], None)
    )
    assert numbers["slope_sd"].type == pa.float64() and numbers["slope_sd"].to_pylist() == [0.3]
    assert lists["slope_sd"].to_pylist() == ["0,0.3"]
    for levels in (numbers, lists):
        both = pa.concat_tables([levels, over], promote_options="default")
        assert both["slope_sd"].type == levels["slope_sd"].type
        assert both["slope_sd"].to_pylist()[1] is None

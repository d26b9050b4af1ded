"""What repeated measures do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from clustrategy.examples.dependence import dependence


def test_repeated_measures_are_not_independent() -> None:
    table = dependence(1).to_pandas()
    assert table.groupby("panel")["person"].nunique().to_dict() == {
        "once": 21,
        "repeated": 3,
        "simpson": 3,
    }
    simpson = table[table["panel"] == "simpson"]

    def slope(rows: pd.DataFrame) -> float:
        return float(np.polyfit(rows["x"], rows["y"], 1)[0])

    assert slope(simpson) < 0
    assert all(slope(rows) > 0 for _, rows in simpson.groupby("person"))
    assert dependence(1).equals(dependence(1)) and not dependence(1).equals(dependence(2))

"""A strategy that is defined in a notebook, for `analyze` and `fit`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from clustrategy import analyze
from clustrategy.strategies.registry import forget
from tests.own_strategies import between

DATA = pd.DataFrame(
    {"g": list("aabbccdd"), "x": [0, 0, 1, 1, 2, 2, 5, 5], "y": [1, 3, 2, 2, 4, 6, 8, 10]}
)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    forget([("between", "numpy")])


def test_a_cell_of_a_notebook_defines_a_strategy_and_may_be_run_again() -> None:
    """By hand: of the means (0, 2), (1, 2), (2, 5), (5, 9) the slope is 21 / 14."""
    cell = between()
    for text in (cell.replace("rss / df", "0 * rss"), cell):
        exec(compile(text, "<ipython-input-1>", "exec"), {"__name__": "__main__"})
    found = analyze(DATA, "y ~ x", cluster="g", strategies=["between", "ols"])
    ours = found[found["strategy"] == "between"].set_index("term")
    assert list(ours["status"]) == ["ok", "ok"]
    np.testing.assert_allclose(ours["estimate"], [4.5 - 2 * 21 / 14, 21 / 14])
    np.testing.assert_allclose(ours["std_error"]["x"] ** 2, 1.5 / 2 / 14)
    assert set(ours["df"]) == {2}

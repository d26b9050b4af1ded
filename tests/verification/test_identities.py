"""Numbers that two strategies share."""

from __future__ import annotations

import pytest

from clustrategy.verification.identities import identities
from clustrategy.verification.judgement import judge
from tests.verification.studies import CELLS, STRATEGIES, fitted


@pytest.mark.parametrize(
    ("label", "measure", "statement"),
    [
        ("CR1", "estimate", "CR1, CR2, CV3 = two-stage"),
        ("CR1", "df", "CR1, CR2, CV3 = two-stage"),
        ("CR3", "std_error", "jackknife = (G - 1)/G CR3"),
    ],
)
def test_one_dataset_in_fifty_is_enough(label: str, measure: str, statement: str) -> None:
    right = fitted()
    table = judge([identities(CELLS[1], STRATEGIES, right)])
    assert set(table["verdict"]) == {"agrees"}
    assert table["n"].eq(50).all()
    getattr(right[label], measure)[17, 2] *= 1 + 1e-6
    wrong = judge([identities(CELLS[1], STRATEGIES, right)])
    assert set(wrong.loc[wrong["verdict"] == "differs", "statement"]) == {statement}
    right[label].regular[17] = False
    again = judge([identities(CELLS[1], STRATEGIES, right)])
    assert set(again["verdict"]) == {"agrees"}

from __future__ import annotations

import pytest
from formulaic import Formula

from clustrategy.design.formula_columns import columns


@pytest.mark.parametrize(
    ("formula", "numbers", "levels"),
    [
        ("y ~ x", "y x", ""),
        ("y ~ x * z - 1", "y x z", ""),
        ("y ~ C(k) + x", "y x", "k"),
        ("y ~ C(k, contr.sum) + C(`k`):x", "y x", "k"),
        ("y ~ C(k) + k", "y k", ""),
        ("y ~ C(k + j)", "y k j", ""),
        ("y ~ C(Q('k')) + Q('z')", "y z", "k"),
        ("log(y) ~ I(x * x) + poly(z, 2)", "y x z", ""),
        ("y ~ scale(x) + center(z) + bs(u, df=4)", "y x z u", ""),
        ("y ~ I(`a.b` * x) + `c.d`", "y x a.b c.d", ""),
        ("y ~ nothing(x)", "y x nothing", ""),
        ("y ~ log", "y log", ""),
        ("y ~ 1", "y", ""),
    ],
)
def test_the_columns_of_a_formula(formula: str, numbers: str, levels: str) -> None:
    found = columns(Formula(formula), ["y", "x", "z", "k"])
    assert found.numbers == set(numbers.split()) and found.levels == set(levels.split())


def test_a_column_may_be_called_as_a_function() -> None:
    assert columns(Formula("y ~ I(log * 2)"), ["y", "log"]).numbers == {"y", "log"}

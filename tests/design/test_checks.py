"""Tables that no strategy can analyse are refused in one sentence that names what is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustrategy.core.errors import DataError
from clustrategy.design.checks import check
from clustrategy.design.from_table import design_from_table

RNG = np.random.default_rng(5)
N = 24
GOOD = pd.DataFrame(
    {
        "y": RNG.normal(size=N),
        "a": RNG.normal(size=N),
        "b": RNG.normal(size=N),
        "g": np.repeat(list("klmn"), 6),
        "treat": np.repeat([0, 0, 1, 1], 6),
        "size": np.repeat([3.0, 1.0, 4.0, 1.5], 6),
        "share": np.repeat([0.1, 0.4, 0.3, 0.9], 6),
        "row": range(N),
    }
)

CASES = {
    "one cluster": (
        {"g": "k"},
        "y ~ a",
        "^the column 'g' holds one cluster, 'k': two are the least",
    ),
    "every row a cluster": (
        {"g": range(N)},
        "y ~ a",
        "^each of the 24 rows is a cluster of its own by the column 'g'",
    ),
    "constant response": ({"y": 5}, "y ~ a", "^the response 'y' is 5 in each of the 24 rows"),
    "log of zero": (
        {"b": [0.0] * 2 + [1.0] * 22},
        "y ~ a + log(b)",
        r"^'log\(b\)' is infinite in 2 of 24 rows",
    ),
    "root of a negative": (
        {"b": [-1.0] + [1.0, 2.0] * 11 + [3.0]},
        "y ~ sqrt(b)",
        r"^'sqrt\(b\)' is not a number in some rows",
    ),
    "constant predictor": ({"a": 3}, "y ~ a + b", "^the predictor 'a' is 3 in every row"),
    "nothing but zeros": ({"a": 0}, "y ~ 0 + a + b", "^the predictor 'a' is 0 in every row"),
    "twice the same": (
        {"b": 2 * GOOD.a + 1},
        "y ~ treat + a + b",
        r"'b' is a combination of \(Intercept\), a; leave one of them out$",
    ),
    "nothing left": ({"y": GOOD.a - 2 * GOOD.b}, "y ~ a + b", "explain the response 'y' exactly"),
    "more coefficients than rows": (
        {"a": list("abcdefghijklmnopqrstuvwx")},
        "y ~ a",
        r"^24 rows cannot carry 24 coefficients \(\(Intercept\), a\[T.b\], a\[T.c\]",
    ),
    "more than the clusters": (
        {},
        "y ~ treat + size + share",
        r"^4 clusters cannot carry 4 coefficients of predictors that are constant within clusters "
        r"\(\(Intercept\), treat, size, share\)",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_analysed_is_one_sentence(case):
    change, formula, sentence = CASES[case]
    with np.errstate(all="ignore"), pytest.raises(DataError, match=sentence) as caught:
        check(design_from_table(GOOD.assign(**change), formula, "g"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("formula", ["y ~ a", "y ~ treat + a", "y ~ C(g) + a", "y ~ 0 + treat"])
def test_what_can_be_analysed_passes(formula):
    check(design_from_table(GOOD, formula, "g"))

"""Random effects in lme4's notation: which coefficients they are, and what cannot be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustrategy.core.errors import DataError
from clustrategy.design.from_table import Design, columns_of, design_from_table

RNG = np.random.default_rng(7)
DATA = pd.DataFrame(
    {
        "y": RNG.normal(size=24),
        "x": RNG.normal(size=24),
        "z": RNG.normal(size=24),
        "arm": list("abc") * 8,
        "g": np.repeat(list("klmn"), 6),
        "my group": np.repeat([1, 2, 3], 8),
        "h": np.tile([1, 2], 12),
    }
)


def read(formula: str, cluster: str | None = "g", random: str | None = None) -> Design:
    return design_from_table(DATA, formula, cluster, random)


@pytest.mark.parametrize(
    ("formula", "fixed", "random", "correlated"),
    [
        ("y ~ x + (1 | g)", ["(Intercept)", "x"], ["(Intercept)"], True),
        ("y ~ x + (x | g)", ["(Intercept)", "x"], ["(Intercept)", "x"], True),
        ("y ~ x + (1 + x | g)", ["(Intercept)", "x"], ["(Intercept)", "x"], True),
        ("y ~ x + (x || g)", ["(Intercept)", "x"], ["(Intercept)", "x"], False),
        ("y ~ x + (1 | g) + (0 + x | g)", ["(Intercept)", "x"], ["(Intercept)", "x"], False),
        ("y ~ (0 + x | g) + x", ["(Intercept)", "x"], ["x"], True),
        ("y ~ 0 + x + (0 + x | g)", ["x"], ["x"], True),
        ("y ~ (1 | g)", ["(Intercept)"], ["(Intercept)"], True),
        ("y ~ (1 | g) + x - z", ["(Intercept)", "x"], ["(Intercept)"], True),
        (
            "y ~ x * arm + (arm | g)",
            ["(Intercept)", "x", "arm[T.b]", "arm[T.c]", "x:arm[T.b]", "x:arm[T.c]"],
            ["(Intercept)", "arm[T.b]", "arm[T.c]"],
            True,
        ),
        ("y ~ x + I(x ** 2) + (I(x**2) | g)", ["(Intercept)", "x", "I(x ** 2)"], None, True),
    ],
)
def test_bars_name_the_coefficients_that_lme4_would_have(formula, fixed, random, correlated):
    design = read(formula, cluster=None)
    assert design.cluster == "g" and design.names == tuple("klmn")
    assert list(design.shard.terms) == fixed
    assert design.random is not None and design.random.correlated is correlated
    assert list(design.random.coefficients) == (random or ["(Intercept)", "I(x ** 2)"])


def test_a_bar_overrules_the_column_of_the_clusters_and_an_argument_goes_with_none():
    assert read("y ~ x + (1 | `my group`)").cluster == "my group"
    assert read("y ~ x", random="0 + x").random == read("y ~ x + (0 + x | g)").random
    assert read("y ~ x").random is None


def test_the_columns_that_are_needed_are_known_before_anything_is_read():
    assert columns_of("log(y) ~ C(arm) * x + (x | g)", "h") == ["arm", "g", "x", "y"]
    assert columns_of("y ~ Q('my group')", "h") == ["h", "my group", "y"]


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        ("y ~ x + (1 | g) + (1 | h)", "random effects by 'g' and by 'h': one column of clusters"),
        ("y ~ x + (1 | g/h)", "expected the name of one column behind the bar"),
        ("y ~ x + (1 | g + h)", "expected the name of one column behind the bar"),
        ("y ~ x + (| g)", "expected '1' or a predictor before the bar"),
        ("y ~ x:(1 | g)", "which must be added by '\\+' to the rest"),
        ("(1 | g) ~ x", "which must be added by '\\+' to the rest"),
        ("y ~ x + ((1 | g))", "has a '\\|' that is no bar"),
        ("y ~ x + (1 | g) + (x || g)", "has both '\\|' and '\\|\\|'"),
        ("y ~ x + (1 | g) + (x | g)", "have '\\(Intercept\\)' twice"),
        ("y ~ x + z + (x | g) + (0 + z | g)", "correlate in part"),
        ("y ~ x + (0 | g)", "have no coefficient"),
        ("y ~ x + (z | g)", "'z' needs the same term among the fixed effects; those are 1, x"),
        ("y ~ arm + (0 + arm | g)", "have categories without an intercept"),
        ("y ~ arm + (arm || g)", "have categories before '\\|\\|'"),
        ("y ~ x + (x ~ z | g)", "have a '~'"),
        ("y ~ x + (x.real | g)", "needs the same term among the fixed"),
        ("y ~ x + (__import__('os') | g)", "no function that a formula can call"),
        ("y ~ x + (1 | missing)", "no column 'missing' for the clusters"),
    ],
)
def test_what_cannot_be_is_one_sentence(formula, sentence):
    with pytest.raises(DataError, match=sentence) as caught:
        read(formula)
    assert "\n" not in str(caught.value)


def test_clusters_must_be_named():
    with pytest.raises(DataError, match="does not say what the clusters are"):
        read("y ~ x", cluster=None)

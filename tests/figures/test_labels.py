"""How levels of factors are named."""

from __future__ import annotations

import pytest

from clustrategy.figures.parts.labels import LONGEST, level_label, strategy_label


@pytest.mark.parametrize(
    ("factor", "value", "label"),
    [
        ("clusters", 1, "1 cluster"),
        ("arms", 3, "3 arms"),
        ("residual_sigma", 0.5, "residual sigma 0.5"),
        ("treatment", "none", "no treatment"),
        ("treatment", "between", "treatment of clusters"),
        ("residual_distribution", "skewed", "residuals skewed"),
        ("coefficients", "0,0.25,1", "coefficients 0, 0.25, 1"),
        ("coefficients", "uniform,0,1", "coefficients U(0, 1)"),
        ("coefficients", "uniform,-1.5,1e-05", "coefficients U(-1.5, 1e-05)"),
        ("predictor_distribution", "uniform", "predictors uniform"),
        ("predictor_distribution", "uniform,binary", "predictors uniform, binary"),
        ("predictor_distribution", "normal,uniform,binary", "predictors normal, uniform, binary"),
        ("estimand", "persons", "averages over persons"),
        ("predictor_icc", "0.5", "ICC of predictors 0.5"),
    ],
)
def test_a_level_as_readers_see_it(factor: str, value: object, label: str) -> None:
    assert level_label(factor, value) == label


@pytest.mark.parametrize(
    ("strategy", "label"),
    [
        ("two_stage", "two-stage"),
        ("mine, $x$", r"mine, \$x\$"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("two\nlines\x00", "two lines"),
        ("a" * 30 + "m" * 5000 + "z" * 15, "a" * 30 + "…" + "z" * 15),
    ],
)
def test_a_strategy_as_readers_see_it(strategy: str, label: str) -> None:
    assert strategy_label(strategy) == label and len(label) <= LONGEST

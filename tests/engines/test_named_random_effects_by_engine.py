"""Mixed models whose random effects are named, by other engines: the optimum that R found."""

from __future__ import annotations

import json

import numpy as np
import pytest

from clustrategy.core.shard import INTERCEPT
from clustrategy.estimation.mixed.conditional_modes import conditional_modes
from tests.material import FOLDER, fit, golden, needs_glmm

LME4 = json.loads((FOLDER / "conditional_modes.json").read_text())["models"]
SIMPLE = [
    model
    for model in LME4
    if model["dataset"] in ("sleepstudy-unbalanced", "unbalanced-10x25-4.0")
    and INTERCEPT in model["estimate"]
    and len(model["random"]) < 3
] + [model for model in LME4 if not model["correlated"] and model["dataset"] == "sleepstudy"]


CASES = [
    pytest.param(model, *engine, id=f"{engine[0]}: {model['formula']}", marks=mark)
    for *engine, mark in (
        ("lme4", 1e-4, 2e-2, pytest.mark.lme4),
        ("lme4_unbounded", 1e-6, 1e-3, pytest.mark.lme4),
        ("glmm", 1e-6, 1e-3, needs_glmm),
    )
    for model in SIMPLE
    if engine[0] != "glmm" or model["correlated"]
]
"""glmm has correlated random effects alone."""


@pytest.mark.parametrize(("model", "engine", "criterion", "modes"), CASES)
def test_the_criterion_and_the_random_effects_at_the_optimum(model, engine, criterion, modes):
    options = {"random": model["random"]}
    if engine != "glmm":
        options["correlated"] = model["correlated"]
    shard = golden(model["dataset"])
    found = fit(shard, "mixed", engine=engine, **options)
    assert found.status[0] == "ok", found.message[0]
    assert abs(found.reml_criterion[0] - model["reml"]) < criterion
    mode = np.array([model["mode"][term] for term in model["random"]]).T
    ours = conditional_modes(shard, found).mode
    np.testing.assert_allclose(ours, mode, rtol=0, atol=modes * found.sigma[0])

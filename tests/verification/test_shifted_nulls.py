"""Power from tests against shifted values of a coefficient, without new data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from clustrategy import simulate, verdicts
from clustrategy.core.inference import t_inference
from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy
from clustrategy.verification.cells import arms
from clustrategy.verification.closed_forms import (
    Arms,
    Wald,
    cluster_robust,
    random_intercept,
    two_stage,
)

SIMS, EFFECT = 1_000, 0.8
CELL = {"clusters": 12, "obs_per_cluster": 6, "between_cluster_sigma": 1.0}


def _two_stage(design: Arms) -> Wald:
    return two_stage(design, 1)


def _cr0(design: Arms) -> Wald:
    return cluster_robust(design, 1, "CR0", "G-1")


def _cr2(design: Arms) -> Wald:
    return cluster_robust(design, 1, "CR2", "satterthwaite")


def _random_intercept(design: Arms) -> Wald:
    return random_intercept(design, 1)


@pytest.mark.parametrize(
    ("treatment", "entry", "closed_form"),
    [
        ("within", "two_stage", _two_stage),
        ("within", {"strategy": "cluster_robust", "variance": "CR0"}, _cr0),
        (
            "between",
            {"strategy": "cluster_robust", "variance": "CR2", "df": "satterthwaite"},
            _cr2,
        ),
        ("between", "mixed_intercept", _random_intercept),
        ("between", "two_stage", _random_intercept),
    ],
)
def test_power_from_shifted_nulls(treatment: Any, entry: Any, closed_form: Any) -> None:
    """It is the noncentral t's, and rejects where data with that effect are rejected."""
    none = Process(**CELL, predictors=1, coefficients=[0, 0], residual_sigma=1, treatment=treatment)
    some = replace(none, coefficients=[0, EFFECT])
    without, with_effect = (
        Strategy.parse(entry).fit(simulate(process, 3, CELL, range(SIMS)).shard)
        for process in (none, some)
    )
    # Against the truth less the effect.
    distance = np.abs(without.estimate[:, 1] + EFFECT) / without.std_error[:, 1]
    shifted = 2 * stats.t.sf(distance, without.df[:, 1])
    rejected = shifted <= 0.05
    columns = (with_effect.estimate, with_effect.std_error, with_effect.df)
    tested = t_inference(*(column[:, 1] for column in columns)).p_value
    assert np.array_equal(rejected, tested <= 0.05)
    assert shifted == pytest.approx(tested, rel=1e-6)

    table = {name: getattr(without, name)[:, 1] for name in ("estimate", "std_error", "df")}
    judged = verdicts(table, 0.0, effects=EFFECT, equivariant=True)
    assert judged.loc[judged["measure"] == "power", "value"].tolist() == [rejected.mean()]

    design = arms(some)
    assert design is not None
    power = closed_form(design).rejection(EFFECT)
    assert rejected.mean() == pytest.approx(power, abs=4 * np.sqrt(power * (1 - power) / SIMS))
    assert 0.2 < power < 0.9

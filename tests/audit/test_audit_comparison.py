"""Which fits are compared: those that the study has, those of its references, or neither."""

from __future__ import annotations

import numpy as np

from clustrategy.audit.comparison import Audited, compare
from clustrategy.core.fits import Fits
from clustrategy.engines.chosen import Strategy
from tests.material import random_shard

SHARD = random_shard(3, sims=2, clusters=8, p=2, rows=6)
OURS, THEIRS = (
    Strategy.parse({"strategy": "cluster_robust", "engine": engine})
    for engine in ("numpy", "statsmodels")
)


def off(strategy: Strategy) -> Fits:
    """What a study would have if its standard errors were a tenth too large."""
    fits = strategy.fit(SHARD)
    fits.std_error *= 1.1
    return fits


def test_the_fits_of_a_study_are_audited_as_they_are() -> None:
    found = compare(SHARD, [4, 7], Audited.of(OURS, "lme4", [THEIRS]), off(OURS))
    assert found["sim"].to_pylist() == [4, 4, 7, 7]
    assert set(found["engine"].to_pylist()) == {"numpy"}
    assert set(found["reference"].to_pylist()) == {"statsmodels"}
    ratio = found["std_error"].to_numpy() / found["reference_std_error"].to_numpy()
    np.testing.assert_allclose(ratio, 1.1)
    assert set(found["verdict"].to_pylist()) == {"differ"}


def test_a_study_by_a_reference_audits_the_default_engine_by_its_own_fits() -> None:
    found = compare(SHARD, [4, 7], Audited.of(THEIRS, "lme4", [THEIRS]), off(THEIRS))
    assert set(found["engine"].to_pylist()) == {"numpy"}
    assert set(found["reference"].to_pylist()) == {"statsmodels"}
    np.testing.assert_allclose(found["std_error"], OURS.fit(SHARD).std_error.reshape(-1))
    np.testing.assert_allclose(found["reference_std_error"], off(THEIRS).std_error.reshape(-1))

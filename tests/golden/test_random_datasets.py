"""The random datasets are those that lme4 analysed, and lme4 still says the same of them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import numpy as np
import pytest

from clustrategy.core.errors import EngineError
from clustrategy.engines import lme4
from tests.golden.random_datasets import KINDS, NUMBERS, random_dataset
from tests.material import FOLDER, fit

ANALYSED = json.loads((FOLDER / "random.json").read_text())["datasets"]
# lme4 is far from the optimum of the one, and the other has none
UNSETTLED = ("predictors + 1e6", "no residuals")


def test_the_generator_makes_the_datasets_that_were_analysed():
    assert [entry["number"] for entry in ANALYSED] == list(NUMBERS)
    assert Counter(entry["kind"] for entry in ANALYSED) == dict.fromkeys(KINDS, 20)
    for entry in ANALYSED:
        kind, shard = random_dataset(entry["number"])
        bits = b"".join(a.tobytes() for a in (shard.y, shard.X, shard.n.astype(np.int64)))
        assert hashlib.sha256(bits).hexdigest()[:16] == entry["digest"], kind
        assert kind == entry["kind"]


@pytest.mark.parametrize("model", ["mixed_maximal", "mixed_intercept"])
def test_without_bounds_lme4_is_never_worse(model):
    compared = 0
    for entry in ANALYSED:
        bounded, unbounded = entry[model]["lme4"], entry[model]["lme4_unbounded"]
        if "theta" in unbounded and entry["kind"] not in UNSETTLED:
            assert unbounded["reml_criterion"] < bounded["reml_criterion"] + 1e-7, entry["number"]
            compared += 1
    assert compared > 300


@pytest.mark.lme4
@pytest.mark.parametrize(
    "number", [n for n in range(25) if random_dataset(n).kind != "no residuals"]
)
def test_lme4_says_what_it_said(number):
    try:
        lme4.check()
    except EngineError as error:
        pytest.skip(str(error))
    expected = ANALYSED[number]["mixed_intercept"]["lme4_unbounded"]
    found = fit(random_dataset(number).shard, "mixed_intercept", engine="lme4_unbounded")
    assert found.status[0] == expected["status"]
    if "theta" in expected and ANALYSED[number]["kind"] not in UNSETTLED:
        assert abs(found.reml_criterion[0] - expected["reml_criterion"]) < 1e-6
        np.testing.assert_allclose(found.estimate[0], expected["estimate"], rtol=1e-6)
        np.testing.assert_allclose(found.std_error[0], expected["std_error"], rtol=1e-6)

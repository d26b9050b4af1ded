"""Any one dataset of a study again."""

from __future__ import annotations

import numpy as np

from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.examples.remake import remake

CELL = {"clusters": 6, "obs_per_cluster": 8, "between_cluster_sigma": 0.5}
PROCESS = Process(**CELL, predictors=2, coefficients=[1.0, 0.0, 0.3], residual_sigma=1.0)
ENTRIES = [{"strategy": "ols"}, {"strategy": "two_stage"}, {"strategy": "mixed_maximal"}]


def test_a_dataset_made_again_is_that_of_the_study() -> None:
    drawn = simulate(PROCESS, 1, CELL, range(4))
    strategies = [Strategy.parse(entry) for entry in ENTRIES]
    made = remake("mine", PROCESS, 1, CELL, 3, strategies)
    assert set(made.dataset["sim"].to_pylist()) == {3}
    np.testing.assert_array_equal(made.dataset["DV"], drawn.shard.dataset(3).y)
    np.testing.assert_array_equal(made.truth["value"], drawn.truth[3])
    assert made.estimates.num_rows == 9 and made.fits.num_rows == 3
    maximal = strategies[2].fit(drawn.shard)
    assert made.fits["theta"].to_pylist()[2].split() == [repr(float(x)) for x in maximal.theta[3]]
    for line in (
        "# study mine, clusters=6/obs_per_cluster=8/between_cluster_sigma=0.5/sim=3",
        "maximal <- lmer(DV ~ 1 + IV1 + IV2 + (1 + IV1 + IV2 | cluster), data)",
        "intercept <- lmer(DV ~ 1 + IV1 + IV2 + (1 | cluster), data)",
        "print(summary(lm(DV ~ IV1 + IV2, data)))",
    ):
        assert line in made.script.splitlines()

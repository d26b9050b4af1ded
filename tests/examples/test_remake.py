"""Any one dataset of a study again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.examples.remake import remake
from clustrategy.examples.worked_example import worked_example

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


def test_what_resamples_has_the_draws_of_the_study() -> None:
    cell = {**CELL, "clusters": 13}
    process = replace(PROCESS, clusters=13)
    chosen = Strategy.parse({"strategy": "wild_cluster_bootstrap"})
    drawn = simulate(process, 1, cell, range(4))
    made = remake("mine", process, 1, cell, 3, [chosen])
    expected = chosen.fit(drawn.shard, np.ones((4, 3, 2)))
    assert made.estimates["p_value"].to_pylist() == expected.p_value[3].tolist()
    assert made.estimates["conf_low"].to_pylist() == expected.conf_low[3].tolist()
    assert made.estimates.column_names[-1] == "p_value_low"
    worked = worked_example(process, 1, cell, [chosen.spec]).coefficients
    assert worked["p_value"].tolist() == expected.p_value[0].tolist()

"""The false positives that docs/own_data.md quotes of CR2 where a cluster decides a coefficient."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.inference import t_inference
from clustrategy.core.shard import Shard
from clustrategy.design.cr2_share import cr2_share
from clustrategy.dgp.given import GivenProcess, draw_given
from clustrategy.estimation.cluster_robust import fit_cluster_robust

ICC = 0.2


@pytest.mark.parametrize(
    ("sizes", "treated", "sims", "rate", "share"),
    [
        ([20] * 14, 1, 2_000, 0.58, 0.07),
        ([2000, *[12] * 19], 10, 400, 0.38, 0.18),
        ([12] * 20, 10, 2_000, 0.05, 1.0),
    ],
)
def test_false_positives_of_a_treatment_of_whole_clusters(sizes, treated, sims, rate, share):
    n = np.array(sizes)
    codes = np.repeat(np.arange(n.size), n)
    X = np.column_stack([np.ones(codes.size), codes < treated]).astype(float)
    design = Shard(np.zeros(codes.size), X, n[None], ("(Intercept)", "treat"))
    process = GivenProcess(design, ("(Intercept)",), np.array([[ICC / (1 - ICC)]]), 1.0)
    fits = fit_cluster_robust(draw_given(process, 3, "cr2", range(sims)), "CR2", "satterthwaite")
    p = t_inference(fits.estimate, fits.std_error, fits.df).p_value[:, 1]
    assert abs((p <= 0.05).mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / sims)
    np.testing.assert_allclose(cr2_share(design, ICC)[1], share, atol=0.02)

from __future__ import annotations

import numpy as np

from clustrategy.estimation.least_squares import full_rank


def test_rank_is_judged_as_lm_judges_it():
    # R: lm(y ~ x + I(x + d * z)) drops the last term below 1e-7 of its length, not above
    rng = np.random.default_rng(2)
    x, z = rng.standard_normal((2, 50))
    z -= x * (x @ z) / (x @ x)
    z *= np.linalg.norm(x) / np.linalg.norm(z)
    for small, whole in ((1e-6, True), (1e-8, False)):
        triangle = np.linalg.qr(np.column_stack([x, x + small * z]), mode="r")
        assert bool(full_rank(triangle)) is whole

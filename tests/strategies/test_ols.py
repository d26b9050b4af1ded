from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.inference import t_inference
from tests.material import GOLDEN, fit, golden


@pytest.mark.parametrize("name", GOLDEN)
def test_ols_is_rs_lm(name):
    expected = GOLDEN[name]["robust"]
    found = fit(golden(name), "ols")
    np.testing.assert_allclose(found.estimate[0], expected["estimate"], rtol=1e-11)
    np.testing.assert_allclose(found.std_error[0], expected["std_error"], rtol=1e-11)
    np.testing.assert_allclose(found.sigma[0], expected["sigma"], rtol=1e-12)
    assert set(found.df[0]) == {expected["df"]}
    p = t_inference(found.estimate, found.std_error, found.df).p_value
    np.testing.assert_allclose(p[0], expected["p"], rtol=1e-9)

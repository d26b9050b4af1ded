"""The power that a calibration in one process finds."""

from __future__ import annotations

import numpy as np

from clustrategy import calibrate
from tests.material import sleepstudy


def test_the_curve_crosses_80_percent_at_the_detectable_effect() -> None:
    found = calibrate(
        sleepstudy(),
        "Reaction ~ Days",
        cluster="Subject",
        sims=200,
        strategies=["two_stage"],
        scenarios=["estimated", "lower_80"],
    )
    power, detectable = found.power(), found.detectable()
    assert set(power["scenario"]) == {"estimated", "lower_80"}
    whole = detectable[(detectable["scope"] == "all") & ~detectable["size_adjusted"]]
    (least,) = whole.to_dict("records")
    assert least["worst_cell"] == "scenario estimated"
    curve = power[power["scenario"] == "estimated"].sort_values("effect")
    near = np.interp(least["effect"], curve["effect"], curve["power"])
    assert abs(near - 0.8) < 0.01

"""What is said before the estimates of what a simulation takes for granted, without an estimate."""

from __future__ import annotations

import numpy as np
import pandas as pd

from clustrategy import fit
from clustrategy.calibration.working_model import working_model
from clustrategy.design.from_table import design_from_table
from clustrategy.owndata.reservations import reservations

STRATEGIES = ["two_stage", "fixed_effects", "ols"]


def table(clusters: int = 20, rows: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(clusters), rows)
    x = 10 + rng.normal(size=clusters)[g] + rng.normal(size=g.size)
    data = pd.DataFrame({"g": g, "x": x, "treat": g % 2, "once": (g % 3 == 0).astype(float)})
    data.loc[:3, "once"] = 0.0
    data["y"] = rng.normal(size=g.size) + rng.normal(size=clusters)[g]
    return data


def said(formula: str, data: pd.DataFrame) -> list[str]:
    return reservations(fit(data, formula, cluster="g", strategies=STRATEGIES))


def test_slopes_that_differ_within_and_between_are_named_without_their_sizes():
    data = table()
    data["y"] += 7.25 * data.groupby("g")["x"].transform("mean")
    (mixture,) = [one for one in said("y ~ x", data) if "Mundlak" in one]
    assert mixture.startswith("The slope of x is not the same within clusters and between")
    assert not any(digit in mixture for digit in "0123456789")
    assert not [one for one in said("y ~ x", table()) if "Mundlak" in one]


def test_two_stage_regression_at_zero_beyond_the_data():
    (found,) = [one for one in said("y ~ treat + x", table()) if "beyond the data" in one]
    assert found == (
        "two_stage compares clusters where x is 0, beyond the data, and so finds less of treat: "
        "center(x) in the formula has it at the mean."
    )
    assert not [one for one in said("y ~ treat + center(x)", table()) if "beyond" in one]


def test_clusters_that_two_stage_regression_leaves_out_are_counted():
    data = table()
    data = data[(data["g"] > 2) | (data.groupby("g").cumcount() < 2)]
    (found,) = [one for one in said("y ~ center(x)", data) if "leaves out" in one]
    assert found.startswith("two_stage leaves out 3 of 20 clusters")


def test_a_predictor_that_varies_within_one_cluster_has_no_slope_of_its_own():
    data = table()
    found = said("y ~ once", data)
    assert found[0].startswith("once varies within 1 of 20 clusters: its slope")
    analysis = fit(data, "y ~ once", cluster="g", strategies=STRATEGIES)
    assert analysis.reliance.reason("fixed_effects", "once") == (
        "it varies within 1 of 20 clusters alone"
    )
    model = working_model(design_from_table(data, "y ~ once", "g").shard, None)
    assert model.terms == ("(Intercept)",)
    data.loc[12:40, "once"] = np.arange(29) % 2
    assert not [one for one in said("y ~ once", data) if "varies within" in one]


def test_two_clusters_come_with_a_warning():
    assert any(one.startswith("2 clusters: ") for one in said("y ~ center(x)", table(2)))

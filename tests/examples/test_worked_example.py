"""One dataset in full, and any dataset of a study again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.examples.cluster_coefficients import cluster_coefficients
from clustrategy.examples.dependence import dependence
from clustrategy.examples.remake import remake
from clustrategy.examples.worked_example import WorkedExample, stars, worked_example

CELL = {"clusters": 6, "obs_per_cluster": 8, "between_cluster_sigma": 0.5}
PROCESS = Process(**CELL, predictors=2, coefficients=[1.0, 0.0, 0.3], residual_sigma=1.0)
ENTRIES = [{"strategy": "ols"}, {"strategy": "two_stage"}, {"strategy": "mixed_maximal"}]


@pytest.fixture(scope="module")
def worked() -> WorkedExample:
    return worked_example(PROCESS, 1, CELL, ENTRIES)


def test_the_worked_example_is_the_first_sim(worked: WorkedExample) -> None:
    drawn = simulate(PROCESS, 1, CELL, [0])
    assert list(worked.dataset) == ["Group", "DV", "IV1", "IV2"]
    np.testing.assert_array_equal(worked.dataset["DV"], drawn.shard.y)
    np.testing.assert_array_equal(worked.dataset["Group"], np.repeat(np.arange(1, 7), 8))
    assert worked.true_coefficients["true_value"].tolist() == [1.0, 0.0, 0.3]
    np.testing.assert_array_equal(
        worked.cluster_coefficients.iloc[:, 1:], drawn.cluster_coefficients[0]
    )
    ols = worked.coefficients[worked.coefficients["strategy"] == "ols"]
    expected = np.linalg.lstsq(drawn.shard.X, drawn.shard.y)[0]
    np.testing.assert_allclose(ols["estimate"], expected, rtol=1e-12)
    error = np.abs(expected - [1.0, 0.0, 0.3]).sum()
    assert worked.metrics.loc[0, "coef_abs_err"] == pytest.approx(error)
    assert worked.metrics["strategy"].tolist() == ["ols", "two_stage", "mixed_maximal"]


def test_the_page_of_the_worked_example(worked: WorkedExample) -> None:
    assert (
        "6 clusters of 8 observations, every coefficient varying between clusters with standard "
        "deviation 0.5; the model is `DV ~ IV1 + IV2`"
    ) in worked.page
    assert "(Intercept) 1.0000, IV1 0.0000, IV2 0.3000" in worked.page
    for row in worked.coefficients.itertuples():
        assert f"{row.estimate:.4f}" in worked.page
    assert [stars(p) for p in (0.0005, 0.005, 0.04, 0.09, 0.5)] == ["***", "**", "*", ".", ""]


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


@pytest.mark.parametrize(("sims", "shown"), [(2, 2), (50, 5)])
def test_the_coefficients_of_clusters(sims: int, shown: int) -> None:
    table = cluster_coefficients(PROCESS, 1, CELL, sims).to_pandas()
    drawn = simulate(PROCESS, 1, CELL, range(shown))
    assert len(table) == shown * 6 * 2
    row = table[(table["sim"] == 1) & (table["cluster"] == 4) & (table["term"] == "IV1")].iloc[0]
    assert row["coefficient"] == drawn.cluster_coefficients[1, 3, 1]
    assert row["true_value"] == 0.0
    assert table["clusters"].eq(6).all()


def test_repeated_measures_are_not_independent() -> None:
    table = dependence(1).to_pandas()
    assert table.groupby("panel")["person"].nunique().to_dict() == {
        "once": 21,
        "repeated": 3,
        "simpson": 3,
    }
    simpson = table[table["panel"] == "simpson"]

    def slope(rows: pd.DataFrame) -> float:
        return float(np.polyfit(rows["x"], rows["y"], 1)[0])

    assert slope(simpson) < 0
    assert all(slope(rows) > 0 for _, rows in simpson.groupby("person"))
    assert dependence(1).equals(dependence(1)) and not dependence(1).equals(dependence(2))

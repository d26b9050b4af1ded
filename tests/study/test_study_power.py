"""The power of a study on a table: against its closed form, in its units, and from its files."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy.optimize import brentq
from scipy.stats import nct
from scipy.stats import t as student

from clustrategy.calibration.given_data import GivenData
from clustrategy.design.from_table import design_from_table
from clustrategy.study.in_memory import simulated_cells
from clustrategy.study.power import study_power
from clustrategy.study.study import Study
from clustrategy.study.verdicts import study_verdicts
from clustrategy.study.whole_tables import read_cells
from tests.material import sleepstudy
from tests.study.test_data_study import CONFIG, finished, study, whole

SE = 1.5458
"""Of Days in lme4's documented fit of sleepstudy with random slopes, which is that of the mean of
18 slopes of subjects, as the table is balanced."""

SD_OF_DAYS, SD_OF_REACTION = 2.8803, 56.3288
"""R 4.2: sd(sleepstudy$Days), sd(sleepstudy$Reaction)."""


def test_of_two_stages_on_a_balanced_table_it_is_that_of_the_t_test_of_slopes() -> None:
    chosen = study(
        sims=1000,
        strategies=["two_stage"],
        data={**CONFIG["data"], "scenarios": ["estimated"]},
    )
    settings = chosen.verdict_settings
    cells = [*simulated_cells(chosen.plan)]
    verdicts = study_verdicts(chosen.plan, settings, cells)
    power, detectable = study_power(chosen.plan, settings, cells, verdicts)
    far = student.isf(0.025, 17)

    def expected(effect: float) -> float:
        return float(nct.sf(far, 17, effect / SE) + nct.cdf(-far, 17, effect / SE))

    points = power.to_pylist()
    assert {point["kind"] for point in points} == {"Days"}
    assert {point["scenario"] for point in points} == {"estimated"}
    # The largest effect listed is 6 of the standard errors; the curve goes to twice as much.
    assert points[-1]["effect"] == pytest.approx(12 * SE, rel=0.1)
    for point in points[:31]:
        assert point["power"] == pytest.approx(
            expected(point["effect"]), abs=4 * point["mcse"] + 2e-3
        )
    root = brentq(lambda effect: expected(effect) - 0.8, 1, 9)
    for row in detectable.to_pylist():
        assert row["effect"] == pytest.approx(root, abs=4 * row["mcse"])
        assert row["standardised"] == pytest.approx(
            row["effect"] * SD_OF_DAYS / SD_OF_REACTION, rel=1e-4
        )
        assert row["standardised_by"] == "SD of the response per SD of the predictor"


def test_a_predictor_of_0_and_1_is_standardised_by_the_response_alone() -> None:
    table = sleepstudy()
    table["late"] = (table["Days"] > 4).astype(float)
    given = GivenData.of(
        design_from_table(table, "Reaction ~ late", "Subject"), "late", ordered=False
    )
    config = {**CONFIG, "sims": 20, "strategies": ["two_stage"]}
    config["data"] = {**CONFIG["data"], "formula": "Reaction ~ late"}
    plan = Study.from_config(config, given=given)
    settings = plan.verdict_settings
    cells = [*simulated_cells(plan.plan)]
    verdicts = study_verdicts(plan.plan, settings, cells)
    _, detectable = study_power(plan.plan, settings, cells, verdicts)
    rows = detectable.to_pylist()
    assert [row["scope"] for row in rows] == ["cell"] * 4 + ["all"] * 2
    for row in rows:
        assert row["standardised"] == pytest.approx(row["effect"] / SD_OF_REACTION, rel=1e-4)
        assert row["standardised_by"] == "SD of the response"
    assert rows[-1]["worst_cell"] == "scenario upper_95"


def test_from_files_it_is_that_of_one_process(tmp_path: Path) -> None:
    plan = finished(tmp_path, sims=12)
    settings = study().verdict_settings
    tables = []
    for cells in (
        [*read_cells(plan, **whole(plan))],
        [*simulated_cells(study(sims=12).plan)],
    ):
        verdicts = study_verdicts(plan, settings, cells)
        tables.append(study_power(plan, settings, cells, verdicts))
    for one, other in zip(*tables, strict=True):
        assert one.num_rows and one.equals(other)
    days = settings["effects"]["Days"]
    wild = [row for row in tables[0][0].to_pylist() if row["strategy"] == "wild"]
    assert [row["effect"] for row in wild] == [0.0, *days] * 2

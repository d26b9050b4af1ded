"""A study on a table of one's own: its cells, its effects, its shards, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from clustrategy.calibration.given_data import GivenData
from clustrategy.core.errors import ConfigError, DataError
from clustrategy.core.scenarios import NAMES
from clustrategy.design.from_table import design_from_table
from clustrategy.steps.aggregate import aggregate
from clustrategy.study.in_memory import simulated_cells
from clustrategy.study.plan import Plan, read_plan
from clustrategy.study.shards import make
from clustrategy.study.study import Study
from clustrategy.study.trials import try_out
from clustrategy.study.verdicts import study_verdicts
from clustrategy.study.whole_tables import read_cells
from tests.material import sleepstudy
from tests.study.cheap import KINDS, work_off

CONFIG: dict[str, Any] = {
    "study": "sleep",
    "seed": 1,
    "sims": 7,
    "data": {
        "file": "sleep.csv",
        "formula": "Reaction ~ Days",
        "scenarios": ["upper_95", "estimated"],
    },
    "strategies": [
        {"strategy": "cluster_robust", "name": "CR2", "variance": "CR2", "df": "satterthwaite"},
        {"strategy": "wild_cluster_bootstrap", "draws": 39, "name": "wild"},
        "mixed_maximal",
    ],
}


@cache
def given() -> GivenData:
    design = design_from_table(sleepstudy(), "Reaction ~ Days", "Subject")
    return GivenData.of(design, "sleepstudy", ordered=False)


def study(**changes: Any) -> Study:
    return Study.from_config({**CONFIG, **changes}, given=given())


def finished(folder: Path, **changes: Any) -> Plan:
    """Make all shards of the study, in processes that read its plan from the folder."""
    planned = replace(study(**changes).plan, folder=str(folder))
    given().write(str(folder))
    planned.write()
    plan = read_plan(str(folder))
    work_off(plan)
    return plan


def whole(plan: Plan) -> dict[str, str]:
    """Write the whole tables and return their paths."""
    paths = {kind: f"{plan.folder}/{kind}.parquet" for kind in KINDS}
    aggregate(plan.folder, **paths)
    del paths["scores"]
    return paths


def test_the_cells_are_the_scenarios_that_the_design_has():
    found = study(data={"file": "sleep.csv", "formula": "Reaction ~ Days"})
    assert found.factors == ["scenario"]
    missing = {"variance_by_arm", "autocorrelated"}
    assert [cell["scenario"] for cell in found.cells] == [n for n in NAMES if n not in missing]
    assert [cell["scenario"] for cell in study().cells] == ["estimated", "upper_95"]


def test_numbers_do_not_depend_on_blocks_nor_on_files(tmp_path: Path):
    """Of one process without files, and of shards of 7, and of 3 sims: the same bits."""
    settings = study().verdict_settings
    in_memory = list(simulated_cells(study().plan))
    tables = [study_verdicts(study().plan, settings, in_memory)]
    for size in (7, 3):
        plan = finished(tmp_path / str(size), sims_per_shard=size)
        cells = list(read_cells(plan, **whole(plan)))
        for one, other in zip(cells, in_memory, strict=True):
            assert one.status.tolist() == other.status.tolist()
            assert np.array_equal(one.truth, other.truth)
            assert not one.truth.any()
            assert np.array_equal(one.own, other.own, equal_nan=True)
            for name, numbers in one.numbers.items():
                assert np.array_equal(numbers, other.numbers[name], equal_nan=True), name
        tables.append(study_verdicts(plan, settings, cells))
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


def test_the_resolved_config_is_a_config_of_the_same_study():
    found = study()
    again = Study.from_config(found.config, given=given())
    assert again.config == found.config
    assert again.recipe.digest == found.recipe.digest


def test_the_effect_that_is_compared_may_be_named_for_a_term():
    verdict = {"effects": {"Days": [1, 2, 7]}, "effect": {"Days": 7}}
    assert study(verdict=verdict).config["verdict"]["effect"]["Days"] == 7.0


def test_a_shard_follows_its_own_scenario_alone(tmp_path: Path):
    plan = finished(tmp_path)
    assert work_off(plan) == 0
    first = given().scenarios[0]
    assert first.process is not None
    process = replace(first.process, sigma=float(first.process.sigma) * 1.01)
    other = replace(given(), scenarios=(replace(first, process=process), *given().scenarios[1:]))
    changed = replace(Study.from_config(CONFIG, given=other).plan, folder=str(tmp_path))
    assert {block.cell["scenario"] for block in _stale(changed)} == {"estimated"}


def _stale(plan: Plan) -> list[Any]:
    from clustrategy.study.shards import judge

    return [one.block for one in judge(plan) if one.task is not None]


def test_more_scenarios_leave_the_others_as_they_are(tmp_path: Path):
    finished(tmp_path)
    more = {**CONFIG["data"], "scenarios": ["upper_95", "estimated", "slopes_vary"]}
    plan = replace(study(data=more).plan, folder=str(tmp_path))
    assert {block.cell["scenario"] for block in _stale(plan)} == {"slopes_vary"}


def test_a_plan_of_another_design_is_not_carried_out(tmp_path: Path):
    plan = finished(tmp_path)
    other = design_from_table(sleepstudy().iloc[10:], "Reaction ~ Days", "Subject")
    GivenData.of(other, "fewer", ordered=False).write(str(tmp_path))
    recipe = read_plan(str(tmp_path)).recipe
    with pytest.raises(DataError, match="the design of another run; run again"):
        make(recipe, str(tmp_path), plan.blocks[0], afresh=True)


def effects(verdict: Mapping[str, Any]) -> tuple[Any, Any]:
    found = study(verdict=dict(verdict)).config["verdict"]
    return found["effects"]["Days"], found["effect"]["Days"]


def test_effects_are_of_each_term():
    assert effects({}) == ([1.5, 3.1, 4.3, 6.2, 9.3], 4.3)
    assert effects({"effect": 5}) == ([1.5, 3.1, 4.3, 6.2, 9.3, 5.0], 5.0)
    assert effects({"effects": [1, 4, 100]}) == ([1.0, 4.0, 100.0], 4.0)
    assert effects({"effects": [1, 4, 100], "effect": 100}) == ([1.0, 4.0, 100.0], 100.0)
    assert effects({"effects": {"Days": [2]}}) == ([2.0], 2.0)
    assert effects({"effects": {"(Intercept)": [7, 9]}}) == ([1.5, 4.3], 4.3)
    many = {"(Intercept)": [1, 2, 3, 4, 5, 6, 7]}
    assert effects({"effects": many}) == ([1.5, 3.1, 4.3, 6.2, 9.3, 18.6, 37.2], 4.3)


def test_power_is_at_the_effects_of_each_term():
    plan, settings = study().plan, study().verdict_settings
    table = study_verdicts(plan, settings, simulated_cells(plan)).to_pandas()
    power = table[(table["measure"] == "power") & (table["scope"] == "all")]
    for label in plan.labels:
        mine = power[(power["strategy"] == label) & (power["kind"] == "Days")]
        assert mine["effect"].tolist() == [1.5, 3.1, 4.3, 6.2, 9.3]
        assert mine["value"].is_monotonic_increasing
        assert mine["value"].iloc[-1] > 0.5


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"grid": {"clusters": [3]}}, "'grid' has no place beside 'data'"),
    ({"dgp": {"predictors": 2}}, "'dgp' has no place beside 'data'"),
    ({"data": {"file": "a.csv"}}, "data lacks the key 'formula'"),
    ({"data": {**CONFIG["data"], "formla": "y ~ x"}}, "unknown key 'formla' in data"),
    ({"data": {**CONFIG["data"], "scenarios": ["upper"]}}, "must be one of estimated, lower_80"),
    ({"data": {**CONFIG["data"], "scenarios": []}}, "data.scenarios"),
    (
        {"data": {**CONFIG["data"], "scenarios": ["autocorrelated"]}},
        "autocorrelated is left out: the rows of a cluster were not said to have an order",
    ),
    ({"verdict": {"effects": {"Dais": [1]}}}, "'Dais', which is not one of the coefficients"),
    ({"verdict": {"effects": {"Days": [0]}}}, "greater than 0"),
    (
        {"verdict": {"effects": {"Days": [1, 9000]}}},
        "verdict.effects has 9000 for Days, by which the response would vary 460 times as much",
    ),
    ({"verdict": {"effects": {"Days": [1], "(Intercept)": [1, 2]}}}, "as many effects of each"),
    ({"verdict": {"effects": [1, 2], "effect": 3}}, "verdict.effect must be one of the effects"),
    (
        {"verdict": {"effects": [1, 2], "effect": {"Days": 3}}},
        "verdict.effect must be for Days one of its effects, 1, 2, found 3",
    ),
    ({"verdict": {"effect": {"Dys": 3}}}, "verdict.effect names 'Dys', which is not one of"),
    ({"verdict": {"by": ["clusters"]}}, "verdict.by must list factors of the grid"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=lambda one: str(one)[:40])
def test_a_mistake_is_one_sentence(changes: dict[str, Any], words: str):
    with pytest.raises(ConfigError) as caught:
        study(**changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_study_needs_a_grid_or_a_table():
    config = {key: value for key, value in CONFIG.items() if key != "data"}
    with pytest.raises(ConfigError, match="lacks the key 'grid'"):
        Study.from_config(config)


def test_a_design_that_no_strategy_can_analyse_is_refused_before_anything_is_drawn():
    table = sleepstudy()
    table = table.assign(high=table["Subject"].isin(table["Subject"].unique()[:9]).astype(int))
    design = design_from_table(table, "Reaction ~ high", "Subject")
    found = GivenData.of(design, "arms", ordered=False)
    config = {
        **CONFIG,
        "data": {"file": "a.csv", "formula": "Reaction ~ high"},
        "strategies": ["fixed_effects"],
    }
    with pytest.raises(ConfigError, match="no strategy of the study can be fitted to the design"):
        try_out(Study.from_config(config, given=found))


def test_another_table_needs_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    finished(Path("results/sleep"))
    study().check_folder()
    newer = replace(given(), code="of a later version")
    Study.from_config(CONFIG, given=newer).check_folder()
    other = replace(given(), made_from="another")
    with pytest.raises(ConfigError, match="results/sleep: was made from another table"):
        Study.from_config(CONFIG, given=other).check_folder()


def test_tables_have_the_scenario_as_text(tmp_path: Path):
    plan = finished(tmp_path)
    whole(plan)
    import pyarrow.parquet as pq

    table = pq.read_table(tmp_path / "estimates.parquet")
    assert table.schema.field("scenario").type == pa.string()
    assert table["scenario"].unique().to_pylist() == ["estimated", "upper_95"]

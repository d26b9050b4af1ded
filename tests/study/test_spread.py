"""How much clusters differ: by one sigma, or by an ICC and the slopes' SD in its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from clustrategy.core.cells import read_shard_path
from clustrategy.core.errors import ConfigError
from clustrategy.study.in_memory import simulated_cells
from clustrategy.study.study import Study
from clustrategy.study.verdicts import study_verdicts
from tests.conftest import SMALL

SIZES = {"clusters": [6], "obs_per_cluster": [4]}
OTHERS = "clusters differ either by between_cluster_sigma and sigma_ratios or by icc and slope_sd"


def config(grid: Mapping[str, Any], **sections: Any) -> dict[str, Any]:
    return {**SMALL, "strategies": ["two_stage"], "grid": {**SIZES, **grid}, **sections}


def laid_over(tmp_path: Path, *configs: Mapping[str, Any]) -> Study:
    """The study of files that are merged as Snakemake merges them."""
    files, merged = [], {}
    for number, one in enumerate(configs):
        file = tmp_path / f"{number}.yaml"
        file.write_text(yaml.safe_dump(dict(one)))
        files.append(str(file))
        for section, part in one.items():
            own = isinstance(part, dict) and section in merged
            merged[section] = {**merged[section], **part} if own else part
    return Study.from_config(merged, files)


def test_an_icc_and_the_slopes_sd_are_factors_after_the_sizes() -> None:
    grid = {"slope_sd": [0, 0.3], "arms": [2], "icc": [0.02, 0.1]}
    study = Study.from_config(config(grid))
    assert study.factors == ["clusters", "obs_per_cluster", "icc", "slope_sd", "arms"]
    cell = {"clusters": 6, "obs_per_cluster": 4, "icc": 0.1, "slope_sd": 0.3, "arms": 2}
    assert study.cells[-1] == cell
    block = study.plan.blocks[-1]
    path = "clusters=6/obs_per_cluster=4/icc=0.1/slope_sd=0.3/arms=2/sims=0-3.parquet"
    assert block.path == path
    assert read_shard_path(path) == (cell, range(4))


def test_they_may_stand_in_dgp_and_slopes_may_differ_each_by_its_own_sd() -> None:
    study = Study.from_config(config({"slope_sd": [0, [0, 0.5]]}, dgp={"predictors": 2, "icc": 0}))
    assert study.levels["slope_sd"] == [[0.0, 0.0], [0.0, 0.5]]
    assert [study.process(cell).sigmas.tolist() for cell in study.cells] == [
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 0.5],
    ]
    assert read_shard_path(study.plan.blocks[-1].path)[0] == study.cells[-1]


def test_mechanisms_may_say_it() -> None:
    mechanisms = {"alike": {"icc": 0.2}, "slopes": {"icc": 0.2, "slope_sd": 0.3}}
    study = Study.from_config(config({}, dgp={"mechanisms": mechanisms}))
    alike, slopes = (study.process(cell).sigmas.tolist() for cell in study.cells)
    # sqrt(0.2 / 0.8) = 0.5
    assert (alike, slopes) == ([0.5, 0, 0, 0], [0.5, 0.3, 0.3, 0.3])


@pytest.mark.parametrize(
    ("grid", "dgp", "sentence"),
    [
        (
            {},
            {},
            "config: grid lacks the key 'between_cluster_sigma', or 'icc', which may stand in dgp",
        ),
        (
            {"icc": [0.1], "between_cluster_sigma": [1]},
            {},
            f"config: grid.icc cannot stand beside between_cluster_sigma: {OTHERS}",
        ),
        (
            {"between_cluster_sigma": [1]},
            {"icc": 0.1},
            f"config: dgp.icc cannot stand beside between_cluster_sigma: {OTHERS}",
        ),
        (
            {"icc": [0.1]},
            {"sigma_ratios": [1, 0]},
            f"config: grid.icc cannot stand beside sigma_ratios: {OTHERS}",
        ),
        (
            {"slope_sd": [0.1]},
            {},
            "config: grid.slope_sd needs an icc beside it, 0 where intercepts do not differ, in "
            "place of between_cluster_sigma",
        ),
        (
            {"icc": [0.1]},
            {"slope_sd": [0.1, 0.2]},
            "config: dgp.slope_sd must be one number or 3, one for each predictor, found 2",
        ),
        ({"icc": [1]}, {}, "config: the 1st value of grid.icc must be less than 1, found 1"),
        (
            {"icc": [0.1], "slope_sd": [-1]},
            {},
            "config: the 1st value of grid.slope_sd must be a number of at least 0 or a list of "
            "one for each predictor, found -1",
        ),
    ],
)
def test_a_mistake_is_one_sentence(
    grid: dict[str, Any], dgp: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as error:
        Study.from_config(config(grid, dgp=dgp))
    assert str(error.value) == sentence


BASE = config(
    {"between_cluster_sigma": [0.5]},
    dgp={"sigma_ratios": [1, 0, 0, 0]},
    worked_example={"between_cluster_sigma": 0.7},
)


def test_a_later_file_s_way_replaces_that_of_an_earlier_one(tmp_path: Path) -> None:
    study = laid_over(tmp_path, BASE, {"grid": {"icc": [0.1, 0.2]}, "dgp": {"slope_sd": 0.3}})
    assert study.factors == ["clusters", "obs_per_cluster", "icc"]
    assert "sigma_ratios" not in study.dgp
    # Not the sigma of the base, beside which no slope_sd can stand.
    assert study.config["worked_example"]["icc"] == 0.1
    assert "between_cluster_sigma" not in study.config["worked_example"]
    back = laid_over(
        tmp_path, BASE, {"grid": {"icc": [0.1]}}, {"grid": {"between_cluster_sigma": [1]}}
    )
    assert back.levels["between_cluster_sigma"] == [1.0] and "icc" not in back.levels


def test_an_earlier_worked_example_stays_where_it_goes_with_the_rest(tmp_path: Path) -> None:
    base = {key: value for key, value in BASE.items() if key != "dgp"}
    study = laid_over(tmp_path, base, {"grid": {"icc": [0.1]}})
    assert study.config["worked_example"]["between_cluster_sigma"] == 0.7
    over = {"grid": {"icc": [0.1]}, "worked_example": {"icc": 0.2}}
    assert laid_over(tmp_path, base, over).config["worked_example"]["icc"] == 0.2


def test_two_ways_in_the_last_file_are_refused(tmp_path: Path) -> None:
    over = {"grid": {"icc": [0.1]}, "dgp": {"sigma_ratios": [1, 0, 0, 0]}}
    with pytest.raises(ConfigError, match=r"1\.yaml: grid\.icc cannot stand beside"):
        laid_over(tmp_path, BASE, over)


def test_verdicts_have_numbers_for_the_slopes_sd_and_nothing_where_it_is_any() -> None:
    study = Study.from_config(
        config(
            {"icc": [0.1], "slope_sd": [0, 0.3]}, strategies=["ols"], verdict={"by": ["slope_sd"]}
        )
    )
    table = study_verdicts(study.plan, study.verdict_settings, simulated_cells(study.plan))
    scopes = {(row["scope"], row["slope_sd"]) for row in table.to_pylist()}
    assert scopes == {
        ("cell", 0.0),
        ("cell", 0.3),
        ("all", None),
        ("slope_sd", 0.0),
        ("slope_sd", 0.3),
    }

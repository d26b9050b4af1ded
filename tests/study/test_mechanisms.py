"""Named options of the data-generating process as levels of a factor."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.dgp import Process
from clustrategy.dgp.drawn import draw
from clustrategy.study.config import schema
from clustrategy.study.study import Study

CONFIG: dict[str, Any] = {
    "study": "violations",
    "seed": 3,
    "sims": 5,
    "grid": {"clusters": [10, 30], "obs_per_cluster": [20], "between_cluster_sigma": [0.5]},
    "dgp": {
        "predictors": 1,
        "coefficients": [0, 0],
        "residual_autocorrelation": 0.2,
        "mechanisms": {
            "none": {},
            "t-errors": {"residual_distribution": "t"},
            "AR.8": {"residual_autocorrelation": 0.8, "size_cv": 0.5},
        },
    },
    "strategies": ["ols"],
}


def changed(**keys: Any) -> dict[str, Any]:
    return {**CONFIG, **keys}


def grid(**factors: Any) -> dict[str, Any]:
    return {**CONFIG["grid"], **factors}


def dgp(**options: Any) -> dict[str, Any]:
    return {**CONFIG["dgp"], **options}


def test_each_is_a_level_whose_options_stand_over_those_of_the_study() -> None:
    study = Study.from_config(CONFIG)
    assert study.levels["mechanism"] == ["none", "t-errors", "AR.8"]
    assert len(study.cells) == 6
    found = {cell["mechanism"]: study.synthetic(cell) for cell in study.cells[:3]}
    assert [one.residual_autocorrelation for one in found.values()] == [0.2, 0.2, 0.8]
    assert found["t-errors"].residual_distribution == "t"
    assert (found["AR.8"].size_cv, found["none"].size_cv) == (0.5, 0.0)


def test_the_grid_may_name_some() -> None:
    study = Study.from_config(changed(grid=grid(mechanism=["AR.8"])))
    assert [cell["mechanism"] for cell in study.cells] == ["AR.8", "AR.8"]


def test_a_block_is_made_from_its_own_mechanism_alone() -> None:
    """So another one, or a change to another one, leaves what was finished as it is."""
    some = Study.from_config(changed(grid=grid(mechanism=["none", "t-errors"])))
    mechanisms = {**CONFIG["dgp"]["mechanisms"], "t-errors": {"residual_distribution": "skewed"}}
    other = Study.from_config(changed(dgp=dgp(mechanisms=mechanisms)))
    for before in some.plan.blocks:
        (after,) = [block for block in other.plan.blocks if block == before]
        same = some.recipe.digests(before) == other.recipe.digests(after)
        assert same == (before.cell["mechanism"] == "none")


def test_the_data_are_those_of_the_options() -> None:
    """The correlation of neighbouring errors, of 30 clusters of 400 rows: +- 4 / sqrt(12,000)."""
    rows = {"obs_per_cluster": [400], "between_cluster_sigma": [0]}
    study = Study.from_config(changed(grid=grid(**rows)))
    for cell in study.cells[3:]:
        errors = draw(study.process(cell), study.seed, cell, range(1)).shard
        parts = np.split(errors.y, np.cumsum(errors.n[0])[:-1])
        pairs = [np.stack([part[:-1], part[1:]]) for part in parts]
        found = np.corrcoef(np.concatenate(pairs, axis=1))[0, 1]
        expected = 0.8 if cell["mechanism"] == "AR.8" else 0.2
        assert abs(found - expected) < 4 / math.sqrt(12_000)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            changed(grid=grid(mechanism=["t_errors"])),
            "config: grid.mechanism must list names of dgp.mechanisms, found 't_errors' (did you "
            "mean 't-errors'?)",
        ),
        (
            changed(dgp={"predictors": 1, "coefficients": [0, 0]}, grid=grid(mechanism=["a"])),
            "config: grid.mechanism needs dgp.mechanisms, which says what they are",
        ),
        (
            changed(grid=grid(size_cv=[0, 1])),
            "config: dgp.mechanisms.AR.8.size_cv stands in the grid, too: an option is a factor or "
            "part of mechanisms",
        ),
        (
            changed(dgp=dgp(mechanisms={"big": {"informative_size": 0.5}})),
            "config: dgp.mechanisms.big.informative_size needs clusters that differ in size: a "
            "size_cv above 0",
        ),
        (
            changed(dgp=dgp(mechanisms={"big": {"sizes": 0.5}})),
            "config: unknown key 'sizes' in dgp.mechanisms.big (did you mean 'size_cv'?)",
        ),
        (
            changed(dgp=dgp(mechanisms={"../up": {}})),
            "config: dgp.mechanisms",
        ),
    ],
)
def test_mistakes_are_one_sentence(config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Study.from_config(config)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_every_option_of_the_process_stands_in_every_section() -> None:
    """But for the number and size of clusters, and one sigma for all that differs between them."""
    properties = schema()["properties"]
    options = {field.name for field in fields(Process)}
    sections = {name: {*properties[name]["properties"]} for name in ("grid", "worked_example")}
    assert sections["worked_example"] == options
    assert sections["grid"] == options | {"mechanism"}
    in_dgp = options - {"clusters", "obs_per_cluster", "between_cluster_sigma"}
    assert {*properties["dgp"]["properties"]} == in_dgp | {"mechanisms"}
    assert {*schema()["$defs"]["mechanism"]["properties"]} == in_dgp

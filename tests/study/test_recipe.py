"""Recipes: their digests change with what numbers are made from, and with nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clustrategy.engines.chosen import Strategy
from clustrategy.study import recipe
from clustrategy.study.blocks import Block
from clustrategy.study.recipe import Digests, Recipe
from clustrategy.study.study import Study
from tests.study.cheap import CHEAP, LABELS

CELL: dict[str, Any] = {"clusters": 5, "obs_per_cluster": 6, "between_cluster_sigma": 0.5}
BLOCK = Block(CELL, 0, 2)


def recipe_of(**changes: Any) -> Recipe:
    """Return the recipe of the cheap study, some keys of its config changed."""
    return Study.from_config({**CHEAP, **changes}).recipe


def digests(block: Block = BLOCK, **changes: Any) -> Digests:
    """Return the digests of a block in the cheap study."""
    return recipe_of(**changes).digests(block)


def all_of(found: Digests) -> set[str]:
    """Return the digests of a block as a set."""
    return {found.data, *found.fits.values(), *found.scores.values()}


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 2},
        {"dgp": {"residual_sigma": 2.0}},
        {"dgp": {"coefficients": [0, 0, 0, 1]}},
        {"dgp": {"predictors": 2}},
        {"dgp": {"size_cv": 0.5}},
    ],
)
def test_other_data_have_other_digests_throughout(changes: dict[str, Any]) -> None:
    assert not all_of(digests()) & all_of(digests(**changes))
    assert recipe_of().digest != recipe_of(**changes).digest


@pytest.mark.parametrize(
    "block",
    [
        Block({**CELL, "clusters": 7}, 0, 2),
        Block({**CELL, "between_cluster_sigma": 0.25}, 0, 2),
        Block({**CELL, "residual_sigma": 2.0}, 0, 2),
        Block(CELL, 0, 1),
        Block(CELL, 1, 2),
        Block(CELL, 3, 5),
    ],
)
def test_every_block_has_digests_of_its_own(block: Block) -> None:
    assert not all_of(digests()) & all_of(digests(block))


def test_a_level_in_a_cell_is_not_the_same_option_in_dgp() -> None:
    """The seeds of datasets follow from the cell."""
    inside = digests(Block({**CELL, "residual_sigma": 2.0}, 0, 2))
    assert inside.data != digests(dgp={"residual_sigma": 2.0}).data


@pytest.mark.parametrize(
    "entry",
    [
        {"strategy": "two_stage", "engine": "statsmodels"},
        {"strategy": "ols", "name": "two_stage"},
        {"strategy": "cluster_robust", "name": "two_stage", "variance": "CR0"},
    ],
)
def test_what_fits_a_strategy_enters_its_own_digests_alone(entry: dict[str, Any]) -> None:
    before, after = digests(), digests(strategies=["cluster_robust", entry])
    assert after.data == before.data
    for kind in ("fits", "scores"):
        one, other = getattr(before, kind), getattr(after, kind)
        assert one["cluster_robust"] == other["cluster_robust"]
        assert one["two_stage"] != other["two_stage"]
    changed = recipe_of(strategies=["cluster_robust", entry])
    assert recipe_of().digest != changed.digest


def test_the_version_of_an_engine_enters(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests()
    monkeypatch.setattr(Strategy, "versions", {"numpy": "99"})
    after = digests()
    assert before.data == after.data
    assert not set(before.fits.values()) & set(after.fits.values())


@pytest.mark.parametrize("package", ["numpy", "scipy"])
def test_the_versions_of_what_draws_enter(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    before, known = digests(), recipe.version
    monkeypatch.setattr(recipe, "version", lambda name: "99" if name == package else known(name))
    assert not all_of(digests()) & all_of(before)


@pytest.mark.parametrize(
    ("name", "data", "fits", "scores"),
    [
        ("draw.py", True, True, True),
        ("datasets.py", True, True, True),
        ("estimates.py", False, True, True),
        ("scores.py", False, False, True),
        ("two_stage.py", False, True, True),
        ("study.py", False, False, False),
        ("performance.py", False, False, False),
    ],
)
def test_the_code_enters_where_it_has_a_part(
    monkeypatch: pytest.MonkeyPatch, name: str, data: bool, fits: bool, scores: bool
) -> None:
    """An edit is simulated by a digest that tells whether a file of that name is among them."""
    before, known = digests(), recipe.code_digest

    def edited(files: list[Path]) -> str:
        return known(files) + "edited" * any(file.name == name for file in files)

    monkeypatch.setattr(recipe, "code_digest", edited)
    monkeypatch.setattr("clustrategy.engines.chosen.code_digest", edited)
    after = digests()
    assert (before.data != after.data) is data
    assert (before.fits["two_stage"] != after.fits["two_stage"]) is fits
    assert (before.scores["two_stage"] != after.scores["two_stage"]) is scores
    others = name != "two_stage.py" and fits
    assert (before.fits["cluster_robust"] != after.fits["cluster_robust"]) is others


@pytest.mark.parametrize(
    "changes",
    [
        {"strategies": list(reversed(LABELS))},
        {"study": "another"},
        {"sims": 50},
        {"sims_per_shard": "auto"},
        {"keep_datasets": True},
        {"performance": {"alpha": 0.1}},
        {"grid": {**CHEAP["grid"], "clusters": [5, 9]}},
        {"dgp": {"residual_sigma": 1, "predictors": 3, "coefficients": {"uniform": [0.0, 1]}}},
        {"strategies": [{"strategy": "two_stage"}, "cluster_robust"]},
    ],
)
def test_what_numbers_do_not_come_from_does_not_enter(changes: dict[str, Any]) -> None:
    assert digests(**changes) == digests()
    assert recipe_of(**changes).digest == recipe_of().digest


def test_strategies_are_in_alphabetical_order() -> None:
    assert list(recipe_of(strategies=["two_stage", "ols", "gee"]).chosen) == [
        "gee",
        "ols",
        "two_stage",
    ]


def test_a_block_costs_as_much_as_its_sims_and_strategies() -> None:
    found = recipe_of()
    one, both = (found.seconds(BLOCK, labels) for labels in (LABELS[:1], LABELS))
    assert 0 < found.seconds(BLOCK, []) < one < both
    assert found.seconds(Block(CELL, 0, 5), LABELS) == pytest.approx(2 * both)
    larger = Block({**CELL, "clusters": 100}, 0, 2)
    assert found.seconds(larger, LABELS) > both


RESAMPLING = [
    {"strategy": "two_stage", "test": "sign_flip", "name": "flips"},
    "wild_cluster_bootstrap",
    *LABELS,
]


@pytest.mark.parametrize("effects", [[0.1, 0.2], [0.2, 0.1], [0.2]])
def test_effects_enter_where_fits_are_tested_by_resampling(effects: list[float]) -> None:
    verdict = {"effects": effects, "effect": effects[0]}
    before = digests(strategies=RESAMPLING)
    after = digests(strategies=RESAMPLING, verdict=verdict)
    assert before.data == after.data
    for kind in ("fits", "scores"):
        one, other = getattr(before, kind), getattr(after, kind)
        assert {label for label in one if one[label] != other[label]} == {
            "flips",
            "wild_cluster_bootstrap",
        }
    assert digests(verdict=verdict) == digests()
    assert recipe_of(verdict=verdict).digest == recipe_of().digest
    changed = recipe_of(strategies=RESAMPLING, verdict=verdict)
    assert recipe_of(strategies=RESAMPLING).digest != changed.digest


def test_whole_effects_are_the_same_as_fractions() -> None:
    one, other = ({"effects": effects, "effect": 2} for effects in ([1, 2], [1.0, 2.0]))
    assert digests(strategies=RESAMPLING, verdict=one) == digests(
        strategies=RESAMPLING, verdict=other
    )

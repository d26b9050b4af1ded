"""What no strategy can fit is refused before it is begun; what some cannot is said."""

from __future__ import annotations

from typing import Any

import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.dgp import simulate
from clustrategy.study.study import Study
from clustrategy.study.trials import _doubtful, try_out
from tests.conftest import SMALL


def tried(clusters: list[int], obs: list[int], strategies: list[Any], **dgp: Any) -> str:
    grid = {"clusters": clusters, "obs_per_cluster": obs, "between_cluster_sigma": [0.5, 1]}
    study = {**SMALL, "grid": grid, "strategies": strategies, "dgp": dgp}
    return try_out(Study.from_config(study))


DEFAULT = ["cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ([1], [6], DEFAULT),
            "config: grid.clusters: no strategy of the study can be fitted in the cell of clusters "
            "1 and obs_per_cluster 6 with 3 predictors (one cluster: a cluster-robust variance "
            "needs two; one cluster: two-stage needs two; one cluster: a mixed model needs two)",
        ),
        (([10, 1], [6], DEFAULT), "the cell of clusters 1 and obs_per_cluster 6"),
        (([2], [1, 6], ["ols", "gee"]), "clusters 2 and obs_per_cluster 1 with 3 predictors"),
        (
            ([20], [3], ["two_stage"]),
            "config: grid.obs_per_cluster: no strategy of the study can be",
        ),
        (([1], [9], [{"strategy": "mixed_maximal", "engine": "lme4"}]), "a mixed model needs two"),
    ],
)
def test_what_no_strategy_can_fit_is_refused(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        tried(*arguments)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 400


def test_predictors_that_vary_within_no_cluster() -> None:
    with pytest.raises(ConfigError, match=r"^config: strategies: .*no predictor varies within"):
        tried([30], [25], ["fixed_effects"], predictors=1, treatment="between")


def test_what_some_strategies_cannot_fit_is_said() -> None:
    """With 3 rows and 4 coefficients a cluster has no regression of its own, nor random slopes."""
    assert tried([10], [3, 25], DEFAULT) == (
        "no fit (status undefined) in some of 4 cells: two_stage in 2, mixed_maximal in 2"
    )
    assert tried([1, 10], [25], ["ols", "cluster_robust"]) == (
        "no fit (status undefined) in some of 4 cells: cluster_robust in 2"
    )


def test_predictors_of_another_distribution_are_tried_apart() -> None:
    """Binary ones are constant in many small clusters, normal ones in none."""
    grid = {
        "clusters": [9],
        "obs_per_cluster": [2],
        "between_cluster_sigma": [0.5, 1],
        "predictor_distribution": ["normal", "binary"],
        "missing_mechanism": ["MAR", "MCAR"],
    }
    dgp = {"size_cv": 0.5, "missing_rate": 0.1}
    config = {**SMALL, "grid": grid, "dgp": dgp, "strategies": DEFAULT}
    shapes = _doubtful(Study.from_config(config))
    assert [len(shape.cells) for shape in shapes] == [2, 2, 2, 2]


def test_what_can_be_fitted_is_not_spoken_of() -> None:
    assert tried([10, 30], [5, 25], DEFAULT) == ""
    assert tried([3], [25], ["ols"]) == ""


def test_what_can_be_fitted_now_and_then_is_not_spoken_of() -> None:
    """With 3 clusters of 3 rows the working correlation is at times one that cannot be."""
    grid = {"clusters": [3], "obs_per_cluster": [3], "between_cluster_sigma": [0.5]}
    dgp = {"predictors": 2}
    config = {**SMALL, "grid": grid, "strategies": ["gee"], "dgp": dgp}
    study = Study.from_config(config)
    shard = simulate(study.process(study.cells[0]), study.seed, study.cells[0], range(4)).shard
    assert {"ok", "undefined"} <= {*study.strategies[0].fit(shard).status}
    assert try_out(study) == ""


def test_nothing_is_drawn_where_there_is_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default study's smallest clusters have a row more than there are coefficients."""

    def drawn(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("clustrategy.study.trials.draw", drawn)
    assert tried([10, 30, 100], [5, 25, 100], DEFAULT) == ""


def test_a_refusal_is_of_datasets_of_the_study(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells that differ by sigma alone are tried once, by few datasets and then by more."""
    asked = []

    def noted(process: Any, seed: int, cell: Any, sims: range) -> Any:
        asked.append((seed, cell, sims))
        return simulate(process, seed, cell, sims)

    monkeypatch.setattr("clustrategy.study.trials.draw", noted)
    with pytest.raises(ConfigError):
        tried([1], [6], ["two_stage"])
    cell = {"clusters": 1, "obs_per_cluster": 6, "between_cluster_sigma": 0.5}
    assert asked == [(1, cell, range(4))] * 2, "SMALL has four sims"
    asked.clear()
    tried([10], [3], DEFAULT)
    assert len(asked) == 1, "two strategies have fits"

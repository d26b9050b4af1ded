"""Configs: defaults, one sentence for each mistake, cells, shards and paths."""

from __future__ import annotations

import copy
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.cells import format_level, level, read_shard_path, shard_path
from clustrategy.core.errors import ConfigError
from clustrategy.dgp import Process
from clustrategy.evaluation.sample_size import sims_for_verdict
from clustrategy.study.config import load, schema
from clustrategy.study.shards import Shards
from clustrategy.study.study import Study
from tests.conftest import REPO, SMALL
from tests.evaluation.made_up import CONFIG as PERFORMED

CONFIG: dict[str, Any] = {**SMALL, "strategies": ["two_stage"]}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The small config with one key set."""
    config = copy.deepcopy(CONFIG)
    *parents, key = path.split(".")
    node = config
    for parent in parents:
        node = node.setdefault(parent, {})
    node[key] = value
    return config


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("gird", {}, "mine.yaml: unknown key 'gird' (did you mean 'grid'?)"),
        (
            "dgp.residual_sgima",
            1,
            "mine.yaml: unknown key 'residual_sgima' in dgp (did you mean 'residual_sigma'?)",
        ),
        ("grid.clstrs", [1], "mine.yaml: unknown key 'clstrs' in grid (did you mean 'clusters'?)"),
        ("sims", "50", "mine.yaml: sims must be a whole number or a mapping, found '50'"),
        ("sims", 0, "mine.yaml: sims must be at least 1, found 0"),
        ("sims", True, "mine.yaml: sims must be a whole number or a mapping, found True"),
        *(
            (
                "sims_per_shard",
                value,
                "mine.yaml: sims_per_shard must be auto or a whole number of at least 1, "
                f"found {value!r}",
            )
            for value in ("many", "50", 0, 2.5, True)
        ),
        ("seed", -1, "mine.yaml: seed must be at least 0, found -1"),
        ("grid.clusters", 10, "mine.yaml: grid.clusters must be a list, found 10"),
        (
            "grid.clusters",
            [],
            "mine.yaml: grid.clusters needs at least 1 value, found an empty list",
        ),
        (
            "grid.clusters",
            [2.5],
            "mine.yaml: the 1st value of grid.clusters must be a whole number, found 2.5",
        ),
        (
            "grid.between_cluster_sigma",
            [0.5, -0.25],
            "mine.yaml: the 2nd value of grid.between_cluster_sigma must be at least 0, found "
            "-0.25",
        ),
        (
            "grid.between_cluster_sigma",
            [1, 1.0],
            "mine.yaml: grid.between_cluster_sigma lists the level 1 twice",
        ),
        (
            "grid.residual_sigma",
            [0],
            "mine.yaml: the 1st value of grid.residual_sigma must be greater than 0, found 0",
        ),
        ("dgp.residual_sigma", 0, "mine.yaml: dgp.residual_sigma must be greater than 0, found 0"),
        (
            "dgp.coefficients",
            [1, 2, 3],
            "mine.yaml: dgp.coefficients must be 4 values for 3 predictors (intercept first), "
            "found 3",
        ),
        (
            "dgp.coefficients",
            {"unifrom": [0, 1]},
            "mine.yaml: dgp.coefficients must be {uniform: [low, high]} or a list of predictors "
            "+ 1 numbers, found {'unifrom': [0, 1]}",
        ),
        (
            "dgp.coefficients",
            {"uniform": [1, 0]},
            "mine.yaml: dgp.coefficients.uniform must be [low, high], found [1, 0]",
        ),
        (
            "grid.coefficients",
            [[0, 0, 0, 0.5], [0, 0.5]],
            "mine.yaml: grid.coefficients must be 4 values for 3 predictors (intercept first), "
            "found 2",
        ),
        (
            "grid.coefficients",
            [{"unifrom": [0, 1]}],
            "mine.yaml: the 1st value of grid.coefficients must be {uniform: [low, high]} or a "
            "list of "
            "predictors + 1 numbers, found {'unifrom': [0, 1]}",
        ),
        (
            "grid.coefficients",
            [[0, 0, 0, 1], [0.0, 0, 0, 1.0]],
            "mine.yaml: grid.coefficients lists the level 0,0,0,1 twice",
        ),
        (
            "dgp.sigma_ratios",
            [1, 0],
            "mine.yaml: dgp.sigma_ratios must be 4 values for 3 predictors (intercept first), "
            "found 2",
        ),
        (
            "dgp.sigma_ratios",
            [1, 0, -1, 0],
            "mine.yaml: the 3rd value of dgp.sigma_ratios must be at least 0, found -1",
        ),
        (
            "dgp.intercept_slope_correlation",
            1.5,
            "mine.yaml: dgp.intercept_slope_correlation must be at most 1, found 1.5",
        ),
        (
            "dgp.predictor_correlation",
            1,
            "mine.yaml: dgp.predictor_correlation must be less than 1, found 1",
        ),
        (
            "grid.predictor_correlation",
            [0.5, -0.5],
            "mine.yaml: grid.predictor_correlation must be greater than -0.5 for 3 predictors "
            "that are not treatment arms, found -0.5",
        ),
        (
            "grid.predictor_icc",
            ["high"],
            "mine.yaml: the 1st value of grid.predictor_icc must be a number from 0 to 1 or a "
            "list of one for "
            "each predictor, found 'high'",
        ),
        (
            "dgp",
            {"predictor_icc": [0, 0.5, 1], "treatment": "within"},
            "mine.yaml: dgp.predictor_icc must be one number or 2, one for each predictor that "
            "is not a treatment arm, found 3",
        ),
        (
            "grid.treatment",
            ["none", "betwene"],
            "mine.yaml: the 2nd value of grid.treatment must be one of none, between, within, "
            "found 'betwene' "
            "(did you mean 'between'?)",
        ),
        (
            "dgp",
            {"predictors": 1, "treatment": "within", "arms": 3},
            "mine.yaml: dgp.arms of a treatment need 2 predictors for 3 arms, found 1",
        ),
        (
            "dgp",
            {"predictors": 7, "treatment": "between", "arms": 7},
            "mine.yaml: dgp.arms must be at most clusters where the treatment is between "
            "clusters, found 7 arms for 6",
        ),
        (
            "dgp",
            {"predictors": 7, "treatment": "within", "arms": 7},
            "mine.yaml: dgp.arms must be at most obs_per_cluster where the treatment is within "
            "clusters, found 7 arms for 6",
        ),
        (
            "dgp",
            {"predictors": 1, "treatment": "within", "endogeneity": 0.5},
            "mine.yaml: dgp.endogeneity needs an IV1 that is not a treatment arm: one predictor "
            "more",
        ),
        (
            "dgp",
            {"predictors": 2, "treatment": "within", "arms": 3, "missing_rate": 0.1},
            "mine.yaml: dgp.missing_rate needs two arms or an IV1 that is not a treatment arm: "
            "one predictor more",
        ),
        (
            "dgp.treated",
            0,
            "mine.yaml: dgp.treated must be half, a whole number of at least 1 or a share between "
            "0 and 1, found 0",
        ),
        (
            "dgp",
            {"treatment": "between", "treated": 8},
            "mine.yaml: dgp.treated must leave units in both arms, found 8, which is 8 of the 6 "
            "clusters",
        ),
        (
            "grid.residual_variance_ratio",
            [1, 4],
            "mine.yaml: grid.residual_variance_ratio needs a treatment, between or within clusters",
        ),
        (
            "dgp.mechanisms",
            {"few": {"treated": 3}},
            "mine.yaml: dgp.mechanisms.few.treated needs a treatment, between or within clusters",
        ),
        (
            "dgp.informative_size",
            0.5,
            "mine.yaml: dgp.informative_size needs clusters that differ in size: a size_cv above 0",
        ),
        ("dgp.missing_rate", 0.6, "mine.yaml: dgp.missing_rate must be at most 0.5, found 0.6"),
        (
            "worked_example",
            {"obs_per_cluster": 1, "size_cv": 0.5},
            "mine.yaml: worked_example.size_cv above 0 needs obs_per_cluster of at least 2, "
            "found 1",
        ),
        (
            "study",
            "a/b",
            "mine.yaml: study must be at most 100 letters, digits, '.', '_' and '-', the first a "
            "letter or digit, found 'a/b'",
        ),
        ("strategies", [], "mine.yaml: strategies needs at least 1 value, found an empty list"),
        (
            "strategies",
            ["two_stages"],
            "mine.yaml: strategies: unknown strategy 'two_stages' (did you mean 'two_stage'?); "
            "known are cluster_robust, fixed_effects, gee, mixed, mixed_fallback, mixed_intercept, "
            "mixed_maximal, mixed_selected, mixed_uncorrelated, ols, two_stage, "
            "wild_cluster_bootstrap",
        ),
        (
            "strategies",
            [{"strategy": "cluster_robust", "variance": "CR7"}],
            "mine.yaml: strategies: strategy 'cluster_robust': variance must be one of CR0, CR1, "
            "CR1S, CR2, CR3, CV3, pymer4, jackknife, found 'CR7' (did you mean 'CR3'?)",
        ),
        (
            "strategies",
            [{"strategy": "cluster_robust", "varianse": "CR0"}],
            "mine.yaml: strategies: strategy 'cluster_robust' has no option 'varianse' (did you "
            "mean 'variance'?); it takes variance, df, within_between",
        ),
        (
            "strategies",
            [{"strategy": "two_stage", "engine": "lme4"}],
            "mine.yaml: strategies: strategy 'two_stage' has no engine 'lme4'; "
            "it has numpy, statsmodels",
        ),
        (
            "strategies",
            ["two_stage", {"strategy": "two_stage"}],
            "mine.yaml: strategies: two entries are called 'two_stage'; give each its own 'name'",
        ),
        (
            "figures.scale",
            "lgo",
            "mine.yaml: figures.scale must be one of log, linear, found 'lgo' (did you "
            "mean 'log'?)",
        ),
    ],
)
def test_a_mistake_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, value: Any, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    config = changed(path, value)
    Path("mine.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError) as error:
        Study.from_config(config, ["mine.yaml"])
    assert str(error.value) == sentence


@pytest.mark.parametrize("missing", ["study", "seed", "grid", "sims", "strategies"])
def test_a_missing_key_is_named(missing: str) -> None:
    config = {key: value for key, value in CONFIG.items() if key != missing}
    with pytest.raises(ConfigError, match=f"lacks the key '{missing}'"):
        Study.from_config(config)


def test_the_file_that_sets_the_key_is_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(yaml.safe_dump({**CONFIG, "sims": 0}))
    Path("over.yaml").write_text("seed: 3\n")
    with pytest.raises(ConfigError, match=r"^base\.yaml: sims"):
        Study.from_config({**CONFIG, "sims": 0, "seed": 3}, ["base.yaml", "over.yaml"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1, 2\n", ["is not YAML", "line"]),
        ("a: 'b\n", ["is not YAML"]),
        ("- 1\n- 2\n", ["expected a mapping", "[1, 2]"]),
        ("", ["expected a mapping", "nothing"]),
    ],
)
def test_a_file_that_is_no_config(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load(str(file))
    assert all(word in str(error.value) for word in [str(file), *words])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(str(tmp_path / "none.yaml"))


def test_the_default_study_is_the_one_we_start_from() -> None:
    study = Study.from_config(load(str(REPO / "config/config.yaml")))
    assert study.levels == {
        "clusters": [10, 30, 100],
        "obs_per_cluster": [5, 25, 100],
        "between_cluster_sigma": [0.1, 0.25, 1.0, 2.0, 4.0],
    }
    assert (len(study.cells), study.sims) == (45, 50)
    assert str(Shards.of(study.recipe, study.folder, study.plan.blocks[1]).file("fits")) == (
        "results/three-ways/fits/clusters=10/obs_per_cluster=5/between_cluster_sigma=0.25/"
        "sims=0-49.parquet"
    )


def test_the_order_of_factors_in_the_config_does_not_matter() -> None:
    grid = CONFIG["grid"] | {"residual_sigma": [1, 2], "predictors": [2]}
    backwards = dict(reversed(grid.items()))
    one, other = (Study.from_config({**CONFIG, "grid": g}) for g in (grid, backwards))
    assert one.plan.blocks == other.plan.blocks
    assert one.plan.digest == other.plan.digest
    assert [block.path for block in one.plan.blocks] == [block.path for block in other.plan.blocks]
    assert one.factors[3:] == ["predictors", "residual_sigma"]


@given(st.floats(min_value=0, max_value=1e6), st.floats(min_value=1e-6, max_value=1e6))
def test_a_path_reads_back_as_its_cell(sigma: float, residual: float) -> None:
    grid = CONFIG["grid"] | {"between_cluster_sigma": [sigma], "residual_sigma": [residual]}
    study = Study.from_config({**CONFIG, "grid": grid})
    for cell in study.cells:
        path = f"results/a.b/truth/{shard_path(cell, range(50, 100))}"
        again, sims = read_shard_path(path)
        assert (again, sims) == (cell, range(50, 100))
        assert list(again) == study.factors
        assert all(type(again[factor]) is type(cell[factor]) for factor in cell)


SHAPES = st.sampled_from(["normal", "uniform", "binary"])
LISTS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=5)


@given(
    st.sampled_from(["none", "between", "within"]),
    LISTS | st.fixed_dictionaries({"uniform": LISTS}),
    st.floats(0, 1) | LISTS,
    SHAPES | st.lists(SHAPES, min_size=2, max_size=4),
)
def test_levels_of_text_and_lists_read_back(
    treatment: str, coefficients: Any, icc: Any, shapes: Any
) -> None:
    values = {
        "treatment": treatment,
        "coefficients": coefficients,
        "predictor_icc": icc,
        "predictor_distribution": shapes,
    }
    cell = {factor: level(factor, value) for factor, value in values.items()}
    assert cell == values
    path = shard_path({"clusters": 6, **cell}, range(3))
    assert path.count("/") == 5
    assert read_shard_path(f"results/small/fits/{path}") == ({"clusters": 6, **cell}, range(3))


def test_how_levels_of_text_and_lists_stand_in_paths() -> None:
    grid = {
        "coefficients": [[0, 0, 0.2, 0.5], {"uniform": [0, 1]}],
        "treatment": ["within"],
        "predictor_icc": [0.5, [0, 1.0]],
    }
    study = Study.from_config({**CONFIG, "grid": CONFIG["grid"] | grid})
    ends = [
        f"/coefficients={coefficients}/predictor_icc={icc}/treatment=within/sims=0-3.parquet"
        for coefficients in ("0,0,0.2,0.5", "uniform,0,1")
        for icc in ("0.5", "0,1")
    ]
    assert [block.path.partition("sigma=0.5")[2] for block in study.plan.blocks[:4]] == ends


def test_options_that_are_not_set_are_not_in_the_config() -> None:
    """So that the folders of studies which do not know of them stay theirs."""
    study = Study.from_config(CONFIG)
    dgp = {"predictors": 3, "coefficients": {"uniform": [0, 1]}, "residual_sigma": 1.0}
    assert (study.seed, study.dgp) == (1, dgp)
    cell = study.cells[0]
    assert study.recipe.process(cell) == study.process(cell) == Process.of(dgp, cell)
    assert study.process(cell).treatment == "none"


def test_options_about_arms_may_stand_in_dgp_where_the_grid_has_the_treatment() -> None:
    """Also where the worked example has none."""
    grid = CONFIG["grid"] | {"treatment": ["none", "between"]}
    dgp = {"treated": 3, "residual_variance_ratio": 4}
    study = Study.from_config({**CONFIG, "grid": grid, "dgp": dgp})
    none, between = (study.process(cell) for cell in study.cells[:2])
    assert isinstance(none, Process) and isinstance(between, Process)
    assert (none.treated_share, none.variance_ratios) == (None, (1.0, 1.0))
    assert (between.treated_share, between.variance_ratios) == (0.5, (1.0, 4))


def test_numbers_and_shares_of_treated_clusters_stand_in_paths() -> None:
    grid = {"treated": ["half", 2, 0.25]}
    study = Study.from_config(
        {**CONFIG, "grid": CONFIG["grid"] | grid, "dgp": {"treatment": "between"}}
    )
    assert study.levels["treated"] == ["half", 2.0, 0.25]
    for cell, end in zip(study.cells, ("half", "2", "0.25"), strict=False):
        path = shard_path(cell, range(3))
        assert path.endswith(f"/treated={end}/sims=0-2.parquet")
        assert read_shard_path(path) == (cell, range(3))


def test_wherever_options_of_the_process_may_stand_all_of_them_may() -> None:
    sections, mechanism = schema()["properties"], schema()["$defs"]["mechanism"]["properties"]
    cell = {"clusters", "obs_per_cluster", "between_cluster_sigma"}
    options = {field.name for field in fields(Process)}
    assert {*sections["grid"]["properties"]} - {"mechanism"} == options
    assert {*sections["worked_example"]["properties"]} == options
    assert {*sections["dgp"]["properties"]} - {"mechanisms"} == options - cell
    assert {*mechanism} == options - cell


def test_a_path_is_read_from_its_end() -> None:
    path = "/owner=me/fits/clusters=6/between_cluster_sigma=1e-05/sims=2-2.parquet"
    cell, sims = read_shard_path(path)
    assert cell == {"clusters": 6, "between_cluster_sigma": 1e-5}
    assert sims == range(2, 3)


def test_whole_numbers_have_one_form() -> None:
    assert [format_level(v) for v in (1, 1.0, 0.1, 100, 1e-5)] == ["1", "1", "0.1", "100", "1e-05"]


def test_a_number_of_sims_per_shard_is_kept() -> None:
    study = Study.from_config({**CONFIG, "sims": 7, "sims_per_shard": 3})
    assert all(study.cut(cell) == [range(3), range(3, 6), range(6, 7)] for cell in study.cells)


def test_the_cut_is_that_of_the_size_and_not_of_the_grid() -> None:
    grid = {"clusters": [10, 100], "obs_per_cluster": [5, 100], "between_cluster_sigma": [1]}
    config = {**CONFIG, "sims": 1000, "sims_per_shard": "auto"}
    study = Study.from_config({**config, "grid": grid})
    larger = {**grid, "clusters": [10, 30, 100], "between_cluster_sigma": [0.1, 1, *range(2, 40)]}
    whole = {block.path for block in Study.from_config({**config, "grid": larger}).plan.blocks}
    assert whole > {block.path for block in study.plan.blocks}
    ends = {len(study.cut(cell)) for cell in study.cells}
    assert len(ends) > 1, "small datasets are in fewer shards than large ones"
    for cell in study.cells:
        rows = cell["clusters"] * cell["obs_per_cluster"]
        assert max(map(len, study.cut(cell))) * rows <= 2_000_000


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(ConfigError, match=r"results/small: no permission to write in \."):
        Study.from_config(CONFIG).check_folder()


def test_a_folder_of_the_same_name_but_for_capitals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system to which they are one folder."""
    monkeypatch.chdir(tmp_path)
    Study.from_config({**CONFIG, "study": "SMALL"}).plan.write()
    (tmp_path / "results/SMALL").rename(tmp_path / "results/small")
    with pytest.raises(ConfigError, match="is the folder of the study 'SMALL' on this file system"):
        Study.from_config(CONFIG).check_folder()
    (tmp_path / "results/small").rename(tmp_path / "results/other")
    Study.from_config({**CONFIG, "study": "other"}).check_folder()


@pytest.mark.parametrize("word", ["yes", "No", "on", "OFF"])
def test_what_yaml_makes_of_yes_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(f"grid: {{treatment: [none, {word}]}}\n")
    config = changed("grid.treatment", ["none", word.lower() in ("yes", "on")])
    with pytest.raises(ConfigError) as error:
        Study.from_config(config, ["mine.yaml"])
    value = word.lower() in ("yes", "on")
    assert str(error.value) == (
        "mine.yaml: the 2nd value of grid.treatment must be one of none, between, within, found "
        f"{value} (YAML reads {word} as true or false: write quotes for text)"
    )
    Path("mine.yaml").write_text("grid: {treatment: [none, true]}\n")
    with pytest.raises(ConfigError, match=r"found (True|False)$"):
        Study.from_config(config, ["mine.yaml"])


def test_a_folder_belongs_to_one_seed_and_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = Study.from_config(CONFIG)
    study.check_folder()
    study.plan.write()
    study.check_folder()
    Study.from_config(changed("seed", 2)).check_folder()  # nothing was made with seed 1 yet
    shard = tmp_path / "results/small/truth/clusters=6/sims=0-3.parquet"
    shard.parent.mkdir(parents=True)
    shard.touch()
    Study.from_config(changed("sims", 99)).check_folder()
    with pytest.raises(ConfigError, match="was made with seed 1, but .* says 2"):
        Study.from_config(changed("seed", 2)).check_folder()
    with pytest.raises(ConfigError, match="was made with dgp"):
        Study.from_config(changed("dgp.residual_sigma", 2.0)).check_folder()
    Study.from_config(changed("dgp.residual_sigma", 1)).check_folder()
    (tmp_path / "results/small/study.json").write_text("damaged")
    Study.from_config(changed("seed", 2)).check_folder()


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "performance",
            {"reference": "D"},
            "config: performance.reference must be a strategy of the study, found 'D'",
        ),
        (
            "performance",
            {"fallback": "ols "},
            "config: performance.fallback must be a strategy of the study, found 'ols '",
        ),
        (
            "performance",
            {"refrence": "A"},
            "config: unknown key 'refrence' in performance (did you mean 'reference'?)",
        ),
        (
            "performance",
            {"usable": ["okay"]},
            "config: the 1st value of performance.usable must be one of ok, singular, "
            "not_converged, found "
            "'okay' (did you mean 'ok'?)",
        ),
        (
            "sims",
            {"mcse": 0.005, "of": "covrage"},
            "config: sims: unknown measure 'covrage' (did you mean 'coverage'?); known are "
            "coverage, bias_eliminated_coverage, rejection_rate, power, unusable_rate, bias, "
            "relative_bias, median_bias, empirical_se, mse, rmse, model_se, interval_width, "
            "interval_score",
        ),
        (
            "sims",
            {"mcse": 0.005, "of": "bias"},
            "config: sims: the sims for bias need an 'sd', the standard deviation to be expected",
        ),
        ("sims", {"mcse": 0, "of": "bias"}, "config: sims.mcse must be greater than 0, found 0"),
        ("sims", {"mcse": 0.1}, "config: sims lacks the key 'of'"),
        (
            "sims",
            {"of": "coverage"},
            "config: sims: needs the key 'mcse', the Monte Carlo standard error of coverage",
        ),
        (
            "sims",
            {"of": "verdict", "mcse": 0.1},
            "config: sims: has the key 'mcse', which verdict does not take",
        ),
        (
            "sims",
            {"of": "coverage", "mcse": 0.1, "probability": 0.9},
            "config: sims: has the key 'probability', which coverage does not take",
        ),
        (
            "sims",
            {"of": "verdict", "probability": 1},
            "config: sims.probability must be less than 1, found 1",
        ),
        (
            "sims",
            {"mcse": 1e-5, "of": "coverage"},
            "config: sims: 475,000,000 datasets per cell, more than the 10,000,000 that a cell "
            "can have",
        ),
        ("sims", [5], "config: sims must be a whole number or a mapping, found [5]"),
        (
            "verdict",
            {"upper": 2},
            "config: verdict.liberal must be at least upper, 2, found 1.5",
        ),
        (
            "verdict",
            {"liberal": 20},
            "config: verdict.liberal must be less than 1 / alpha, 20, found 20",
        ),
        (
            "verdict",
            {"effects": [0.1, 2]},
            "config: verdict.effect must be one of the effects, 0.1, 2, found 0.5",
        ),
        (
            "verdict",
            {"by": ["cluster"]},
            "config: verdict.by must list factors of the grid, found 'cluster' (did you mean "
            "'clusters'?)",
        ),
        ("verdict", {"lower": 1.1}, "config: verdict.lower must be at most 1, found 1.1"),
        (
            "verdict",
            {"effects": []},
            "config: verdict.effects must be a list of 1 to 20 different numbers greater than 0, "
            "{oracle_power: a list of powers}, or a mapping of terms to such lists, found an empty "
            "list",
        ),
        (
            "verdict",
            {"effects": {"oracle_power": [0.5, 0.05]}, "effect": 0.5},
            "config: verdict.effects.oracle_power must be above the level of the tests, 0.05, "
            "found 0.05",
        ),
        (
            "verdict",
            {"effects": {"oracle_power": [0.5, 0.9]}},
            "config: verdict.effect must be one of the effects, 0.5, 0.9, found 0.8",
        ),
        (
            "verdict",
            {"effects": [-1]},
            "config: the 1st value of verdict.effects must be greater than 0, found -1",
        ),
        ("verdict", {"confidence": 1}, "config: verdict.confidence must be less than 1, found 1"),
    ],
)
def test_a_mistake_about_performance_is_one_sentence(key: str, value: Any, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Study.from_config({**PERFORMED, key: value})
    assert str(caught.value) == sentence


def test_defaults_name_strategies_of_the_study() -> None:
    study = Study.from_config(PERFORMED)
    settings = study.config["performance"]
    assert settings == {
        "alpha": 0.05,
        "usable": ["ok", "singular"],
        "reference": "A",
        "fallback": "B",
    }
    alone = Study.from_config({**PERFORMED, "strategies": ["two_stage", "mixed_maximal"]})
    assert alone.config["performance"]["fallback"] == "two_stage"


def test_sims_may_follow_from_a_monte_carlo_error() -> None:
    study = Study.from_config({**PERFORMED, "sims": {"mcse": 0.005, "of": "coverage"}})
    assert study.sims == study.config["sims"] == 1900
    level = {"performance": {"alpha": 0.01}}
    rejections = {**PERFORMED, **level, "sims": {"mcse": 0.005, "of": "rejection_rate"}}
    assert Study.from_config(rejections).sims == 396


def test_sims_may_follow_from_the_verdicts_wanted_in_all_cells() -> None:
    grid = {"clusters": [10, 20, 30], "obs_per_cluster": [25], "between_cluster_sigma": [0.5, 1.0]}
    study = Study.from_config({**PERFORMED, "grid": grid, "sims": {"of": "verdict"}})
    assert len(study.cells) == 6
    assert study.sims == study.config["sims"] == sims_for_verdict(6)
    wanted = {"sims": {"of": "verdict", "probability": 0.5}, "verdict": {"upper": 1.4}}
    level = {"performance": {"alpha": 0.1}}
    study = Study.from_config({**PERFORMED, **level, **wanted})
    cells = len(study.cells)
    assert study.sims == sims_for_verdict(cells, 0.5, alpha=0.1, upper=1.4)

"""Hostile configs: each is refused with one sentence or is a study, at once and without a trace."""

from __future__ import annotations

import copy
import math
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.errors import ConfigError
from clustrategy.study.study import Study
from clustrategy.study.trials import try_out
from tests.conftest import SMALL

OWN = str(Path(__file__).with_name("own_strategy.py"))

FULL: dict[str, Any] = {
    **SMALL,
    "strategies": [{"strategy": "cluster_robust", "variance": "CR2"}, "two_stage"],
    "keep_datasets": False,
    "csv": True,
    "dgp": {
        "predictors": 3,
        "coefficients": {"uniform": [0, 1]},
        "residual_sigma": 1.0,
        "sigma_ratios": [1, 1, 0, 1],
        "predictor_icc": [0, 0.5, 0],
        "predictor_correlation": 0.1,
        "residual_distribution": "t",
        "size_cv": 0.2,
        "missing_rate": 0.1,
    },
    "performance": {"alpha": 0.05, "usable": ["ok", "singular"], "reference": "two_stage"},
    "figures": {"width": 9, "dpi": 150, "palette": "colorblind", "scale": "log"},
    "worked_example": {"clusters": 5, "obs_per_cluster": 9, "between_cluster_sigma": 0.25},
    "student": {"file": None, "url": "https://example.org/x.zip", "formula": "y ~ x"},
    "strategies_from": [OWN],
}
"""A valid config in which most kinds of values are."""

DEEP: Any = []
for _ in range(500):
    DEEP = [DEEP]

HOSTILE: list[Any] = [
    None,
    True,
    0,
    -1,
    10**9,
    10**12,
    10**30,
    10**4000,
    -(10**30),
    5e-324,
    1e308,
    -1.7e308,
    math.inf,
    -math.inf,
    math.nan,
    0.1,
    "",
    " ",
    "yes",
    "x" * 300,
    "x" * 100_000,
    "name\n",
    "a\x00b",
    "a\x1b[31mb",
    "caf\u00e9",
    "\u202e\U0001f4a9",
    "\ud800",
    "..",
    "../../outside",
    "/etc/passwd",
    "~nobody-of-this-name/x",
    "a/b",
    "$(touch pwned)",
    "{wildcard}",
    "%s %(x)d {0}",
    [],
    [[]],
    [None],
    [1, "a", None],
    [1e308, -1e308],
    [1] * 101,
    {},
    {"uniform": [-1.7e308, 1.7e308]},
    {"uniform": [0, math.inf]},
    {"uniform": 3},
    {"": 1},
    {1: 2},
    {None: None},
    {"x" * 1000: 1},
    {"a\nb": 1},
    {"mcse": 1e-300, "of": "coverage"},
    {"mcse": 5e-324, "of": "bias", "sd": 1e12},
    {"mcse": 1e12, "of": "x" * 1000},
    {"strategy": "x" * 1000},
    {"strategy": "two_stage", "name": "x" * 1000, "nonsense": [1] * 1000},
    (1, 2),
    {1, 2},
    b"bytes",
    DEEP,
]

NOWHERE = [value for value in HOSTILE if isinstance(value, set | bytes)] + [
    10**4000,
    math.inf,
    math.nan,
    "a\x00b",
    "x" * 100_000,
    {1: 2},
    DEEP,
]
"""What is a value of no key."""


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of a config, the whole first."""
    yield path
    parts: dict[Any, Any] = {}
    if isinstance(node, dict):
        parts = node
    elif isinstance(node, list):
        parts = dict(enumerate(node))
    for key, value in parts.items():
        yield from paths(value, (*path, key))


PLACES = [path for path in paths(FULL) if path]


def mutated(changes: list[tuple[tuple[Any, ...], Any]]) -> dict[str, Any]:
    """FULL with other values in some places, as far as these are still there."""
    config = copy.deepcopy(FULL)
    for path, value in changes:
        node: Any = config
        for key in path[:-1]:
            if not isinstance(node, dict | list) or key not in (
                node if isinstance(node, dict) else range(len(node))
            ):
                break
            node = node[key]
        else:
            if isinstance(node, dict) or (isinstance(node, list) and path[-1] in range(len(node))):
                node[path[-1]] = value
    return config


def judged(config: dict[str, Any]) -> str:
    """The sentence by which a config is refused; empty where it is a study, which is small enough.

    Anything else that is raised is a failure of the test.
    """
    try:
        study = Study.from_config(config)
        _ = study.recipe, study.performance_settings
        try_out(study)
    except ConfigError as error:
        sentence = str(error)
        assert sentence.isprintable(), sentence
        assert len(sentence) < 400, sentence
        return sentence
    return ""


def test_the_config_that_is_mutated_is_valid() -> None:
    assert judged(FULL) == ""


@pytest.mark.parametrize("k", range(len(HOSTILE)))
def test_hostile_values_in_one_place_each(k: int) -> None:
    for place in PLACES[k % 7 :: 7]:
        judged(mutated([(place, HOSTILE[k])]))


@given(st.sampled_from(PLACES), st.sampled_from(NOWHERE))
def test_what_is_right_nowhere_is_refused_everywhere(place: tuple[Any, ...], value: Any) -> None:
    assert judged(mutated([(place, value)]))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(HOSTILE),
    lambda part: (
        st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=9), part, max_size=3)
    ),
    max_leaves=6,
)


@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3))
def test_any_values_in_some_places(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    judged(mutated(changes))


@given(VALUES.filter(lambda value: isinstance(value, dict)))
def test_anything_for_a_config(config: dict[str, Any]) -> None:
    assert judged(config)


def test_configs_that_hold_themselves() -> None:
    config = copy.deepcopy(FULL)
    config["dgp"]["arms"] = config
    assert "nested too deeply" in judged(config)


ABSURD = [
    ({"clusters": [10**12]}, "the 1st value of grid.clusters must be at most 100000000"),
    ({"clusters": [10**30]}, "the 1st value of grid.clusters must be at most 100000000"),
    (
        {"obs_per_cluster": [10**8]},
        "grid.obs_per_cluster of 100,000,000 makes datasets of 600,000,",
    ),
    ({"clusters": [10**8]}, "grid.clusters of 100,000,000 makes datasets of 600,000,000 rows"),
    ({"residual_sigma": [1e308]}, "grid.residual_sigma must be at most 1e+12, found 1e+308"),
    ({"predictors": [3, 10**5]}, "the 2nd value of grid.predictors must be at most 100, found 100"),
    (
        {"between_cluster_sigma": [k / 7 for k in range(10**6)]},
        "grid.between_cluster_sigma has 1,000,000 levels and the grid 2,000,000 cells, more than "
        "the 10,000 that a study can have",
    ),
    (
        {name: [k + 1 for k in range(100)] for name in ("clusters", "obs_per_cluster", "arms")},
        "grid.clusters has 100 levels and the grid 2,000,000 cells",
    ),
]


@pytest.mark.parametrize(("grid", "sentence"), ABSURD)
def test_absurd_grids_are_refused_with_the_key(grid: dict[str, Any], sentence: str) -> None:
    began = time.process_time()
    assert sentence in judged({**SMALL, "strategies": ["ols"], "grid": {**SMALL["grid"], **grid}})
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"sims": 10**7, "sims_per_shard": 1},
            "sims_per_shard makes 40,000,000 blocks of files, more than the 100,000",
        ),
        (
            {"sims": 10**7, "strategies": [{"strategy": "mixed_maximal", "engine": "lme4"}]}
            | {"grid": {**SMALL["grid"], "between_cluster_sigma": [k / 9 for k in range(4000)]}},
            "sims is 10,000,000 for each of the cells, which would take about 168 years of CPU",
        ),
        ({"figures": {"dpi": 10**6}}, "figures.dpi must be at most 600, found 1000000"),
        ({"figures": {"width": 10_000}}, "figures.width must be at most 30, found 10000"),
        ({"study": "x" * 300}, "study must be at most 100 letters, digits, '.', '_' and"),
        ({"study": "small\n"}, "study must be at most 100 letters, digits, '.', '_' and"),
        (
            {"dgp": {"coefficients": {"uniform": [-1.7e308, 1.7e308]}}},
            "the 1st value of dgp.coefficients.uniform must be at least -1e+12, found -1.7e+308",
        ),
        ({"sims": {"mcse": 0.1, "of": "bias", "sd": 1e308}}, "sims.sd must be at most 1e+12"),
        (
            {"sims": {"mcse": 5e-324, "of": "coverage"}},
            "sims: mcse is so small that no number of sims is enough",
        ),
        (
            {"worked_example": {"clusters": 10**7, "obs_per_cluster": 10**7}},
            "worked_example.clusters of 10,000,000 makes datasets of 100,000,000,000,000 rows",
        ),
        ({"seed": 2**64}, "seed must be at most 9223372036854775807, found 18446744073709551616"),
        ({"student": {"member": "../.."}}, "student.member must be the name of a file"),
    ],
)
def test_absurd_options_are_refused_with_the_key(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in judged({**SMALL, "strategies": ["ols"], **changes})


def test_a_large_study_is_judged_at_once() -> None:
    grid = {**SMALL["grid"], "between_cluster_sigma": [k / 7 for k in range(5000)]}
    began = time.process_time()
    study = Study.from_config({**FULL, "grid": grid})
    assert len(study.cells) == 10_000
    assert time.process_time() - began < 2


LIMITED = """
import sys
from clustrategy.core.errors import ConfigError
from clustrategy.study.config import load
from clustrategy.study.study import Study
for path in sys.argv[1:]:
    try:
        Study.from_config(load(path), [path])
    except ConfigError as error:
        print(error)
    else:
        print("a study")
"""


def test_with_little_memory_and_time(tmp_path: Path) -> None:
    """Files that would grow, or never end, where they were taken at their word."""
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]\n" for k in range(1, 12)
    )
    texts = {
        "bomb.yaml": (bomb, "bomb.yaml, line 5: that is more than 20,000 values"),
        "deep.yaml": ("[" * 100_000, "deep.yaml: is nested too deeply"),
        "deep.json": ('{"a": ' * 100_000, "deep.json: is nested too deeply"),
        "long.yaml": ("grid: " + "1" * 500_000, "long.yaml, line 1: a number of 500,000 digits"),
        "large.yaml": ("a: b\n" * 400_000, "large.yaml: is larger than 1,000,000 bytes"),
        "many.yaml": ("a: [" + "1, " * 300_000 + "]", "line 1: that is more than 20,000 values"),
    }
    for name, (text, _) in texts.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *texts, "/dev/zero"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=lambda: [
            resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)),
            resource.setrlimit(resource.RLIMIT_CPU, (20, 20)),
        ],
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == len(texts) + 1
    for line, (_, words) in zip(said, texts.values(), strict=False):
        assert words in line
    assert "/dev/zero: is larger than" in said[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(texts)

"""The files of strategies that a config names: in a study, in its plan and in its digests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.engines.chosen import registry
from clustrategy.strategies.own_files import load_files
from clustrategy.study.config import load
from clustrategy.study.plan import read_plan
from clustrategy.study.study import Study
from tests.own_strategies import FILE, between, blank
from tests.study.cheap import CHEAP, finished, rows, work_off

OWN: dict[str, Any] = {"strategies_from": FILE, "strategies": ["between", "cluster_robust"]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the README's strategy in it."""
    (tmp_path / FILE).write_text(between())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(old: str, new: str) -> None:
    """Edit the file."""
    assert between().count(old) == 1
    Path(FILE).write_text(between().replace(old, new))


def test_one_file_is_a_list_of_one() -> None:
    one, many = (Study.from_config({**CHEAP, **OWN, "strategies_from": f}) for f in (FILE, [FILE]))
    assert one.config["strategies_from"] == many.config["strategies_from"] == [FILE]
    assert one.recipe.digest == many.recipe.digest


def test_strategies_are_those_of_the_config_and_of_no_other() -> None:
    Study.from_config({**CHEAP, **OWN})
    with pytest.raises(ConfigError, match="unknown strategy 'between'"):
        Study.from_config({**CHEAP, "strategies": ["between"]})
    assert "between" not in registry()


def test_a_job_knows_the_strategies_by_the_plan(folder: Path) -> None:
    """A job reads the plan alone."""
    plan = finished(folder, **OWN)
    load_files([])
    again = read_plan(str(folder))
    assert list(again.recipe.chosen) == ["between", "cluster_robust"]
    assert again.digest == plan.digest
    assert [again.recipe.digests(b) for b in again.blocks] == [
        plan.recipe.digests(b) for b in plan.blocks
    ]
    assert set(rows(again, "fits")["status"].to_pylist()) == {"ok"}


def test_an_edit_has_its_strategy_fitted_again_and_no_other(
    folder: Path, fitted: list[str]
) -> None:
    finished(folder, **OWN)
    fitted.clear()
    edit("df = one.clusters", '"""Words."""  # alone\n        df = one.clusters')
    assert work_off(finished(folder, **OWN)) == 0 and not fitted
    edit("rss / df", "2 * rss / df")
    finished(folder, **OWN)
    assert set(fitted) == {"between"}


def test_the_tables_are_made_anew_when_the_code_has_changed_and_not_when_it_has_moved() -> None:
    def digest(file: str = FILE) -> str:
        return Study.from_config({**CHEAP, **OWN, "strategies_from": file}).plan.digest

    before = digest()
    edit("df = one.clusters", "df = one.clusters + 0")
    assert digest() != before
    edit("(shard, fit)", "(shard, fit)  # Words")
    Path("elsewhere").mkdir()
    Path(FILE).rename(f"elsewhere/{FILE}")
    assert digest(f"elsewhere/{FILE}") == before


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ("my_strategy.py", f"there is no file 'my_strategy.py' (did you mean '{FILE}'?)"),
        (["ols.py"], "ols.py, line 5: strategy 'ols' has the engine 'numpy' already, by ols in"),
        ("", "strategies_from must be a Python file or a list of them, found ''"),
        (None, "strategies_from must be a Python file or a list of them, found nothing"),
        ([FILE, 3], "the 2nd value of strategies_from must be text, found 3"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_of_the_key(files: Any, sentence: str) -> None:
    Path("ols.py").write_text(blank("ols"))
    Path("mine.yaml").write_text(f"strategies_from: {files!r}".replace("None", "null"))
    Path("other.yaml").write_text("seed: 1")
    config = {**CHEAP, **OWN, **load("mine.yaml")}
    with pytest.raises(ConfigError) as raised:
        Study.from_config(config, ["mine.yaml", "other.yaml"])
    said = str(raised.value)
    assert said.startswith("mine.yaml: ") and sentence in said

"""A design and its scenarios in files: the same draws come back, and nothing else passes."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from clustrategy.calibration.given_data import GivenData, read_given_data
from clustrategy.calibration.table_source import TableSource
from clustrategy.core.digests import digest
from clustrategy.core.errors import DataError
from clustrategy.core.scenarios import NAMES
from clustrategy.design.from_table import design_from_table
from clustrategy.dgp.given import draw_given
from tests.material import sleepstudy


@cache
def given() -> GivenData:
    design = design_from_table(sleepstudy(), "Reaction ~ Days", "Subject")
    return GivenData.of(design, "sleepstudy", ordered=True)


def test_what_is_read_draws_the_same_outcomes(tmp_path: Path):
    given().write(str(tmp_path))
    again = read_given_data(str(tmp_path))
    assert again.digests == given().digests
    assert [one.name for one in again.scenarios] == [*NAMES]
    assert [one.note for one in again.scenarios] == [one.note for one in given().scenarios]
    assert set(again.processes) == set(NAMES) - {"variance_by_arm"}
    for name, process in given().processes.items():
        first = draw_given(process, 3, name, range(2))
        second = draw_given(again.processes[name], 3, name, range(2))
        assert np.array_equal(first.y, second.y), name
        assert np.array_equal(first.X, second.X), name


def test_a_digest_follows_what_is_drawn_from(tmp_path: Path):
    def changed(**changes: object) -> dict[str, str]:
        first = replace(given().scenarios[0], process=replace(process, **changes))
        return replace(given(), scenarios=(first, *given().scenarios[1:])).digests

    process = given().processes["estimated"]
    found = changed(sigma=process.sigma * (1 + 1e-15 * 4))
    assert found["estimated"] != given().digests["estimated"]
    assert found["upper_80"] == given().digests["upper_80"]
    assert changed(autocorrelation=0.1)["estimated"] != given().digests["estimated"]
    other = replace(given().shard, X=given().shard.X + [0.0, 1e-9])
    assert replace(given(), shard=other).digests["resampled"] != given().digests["resampled"]


@pytest.mark.parametrize("name", ["design.parquet", "scenarios.json"])
def test_a_damaged_file_is_not_read(name: str, tmp_path: Path):
    given().write(str(tmp_path))
    path = tmp_path / "given" / name
    content = path.read_bytes()
    place = len(content) // 2
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with pytest.raises(DataError, match=name):
        read_given_data(str(tmp_path))


def test_a_changed_value_is_not_read(tmp_path: Path):
    given().write(str(tmp_path))
    path = tmp_path / "given" / "scenarios.json"
    content = json.loads(path.read_text())
    content["scenarios"][0]["process"]["sigma"] *= 2
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="damaged"):
        read_given_data(str(tmp_path))


def test_files_of_another_format_are_not_read(tmp_path: Path):
    given().write(str(tmp_path))
    path = tmp_path / "given" / "scenarios.json"
    content = json.loads(path.read_text())
    del content["digest"]
    content["format"] -= 1
    path.write_text(json.dumps({"digest": digest(content), **content}))
    with pytest.raises(DataError, match="not there or damaged"):
        read_given_data(str(tmp_path))


def test_what_is_there_already_stays(tmp_path: Path):
    given().write(str(tmp_path))
    path = tmp_path / "given" / "scenarios.json"
    before = path.stat().st_mtime_ns
    given().write(str(tmp_path))
    assert path.stat().st_mtime_ns == before
    replace(given(), made_from="another table").write(str(tmp_path))
    assert read_given_data(str(tmp_path)).made_from == "another table"


def test_the_default_effects_are_multiples_of_lme4s_standard_errors():
    """2.8 of them, 1.5458 for Days, are 4.3."""
    effects = given().default_effects()
    assert effects["Days"] == [1.5, 3.1, 4.3, 6.2, 9.3]
    assert given().compared(effects)["Days"] == 4.3
    assert given().compared({"Days": [1.0, 3.0, 30.0]}) == {"Days": 3.0}


def test_a_file_is_read_once_and_again_when_it_is_another(tmp_path: Path, monkeypatch):
    file = tmp_path / "sleep.csv"
    sleepstudy().to_csv(file, index=False)
    source = TableSource(str(file), "Reaction ~ Days", "Subject")
    source.given_data(str(tmp_path)).write(str(tmp_path))
    with monkeypatch.context() as patched:
        patched.setattr(GivenData, "of", lambda *_, **__: pytest.fail("fitted again"))
        source.given_data(str(tmp_path))
    sleepstudy().iloc[1:].to_csv(file, index=False)
    again = TableSource(str(file), "Reaction ~ Days", "Subject").given_data(str(tmp_path))
    assert again.shard.y.size == 179


def test_the_order_of_rows_is_that_of_a_column(tmp_path: Path):
    file = tmp_path / "sleep.csv"
    shuffled = sleepstudy().sample(frac=1.0, random_state=1)
    shuffled.to_csv(file, index=False)
    ordered = TableSource(str(file), "Reaction ~ Days", "Subject", order="Days").design()
    assert ordered.shard.X[:10, 1].tolist() == [*range(10)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"file": "nowhere.csv"}, "nowhere.csv"),
        ({"formula": "Reaction ~ Dayz"}, "Dayz"),
        ({"order": "Night"}, "Night"),
        ({"order": "Holes"}, "lacks 1 of 180 values"),
        ({"order": "Weeks"}, "has 0.0 several times in 1"),
        ({"cluster": None}, "cluster"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_file(changes, words, tmp_path: Path):
    file = tmp_path / "sleep.csv"
    table = sleepstudy()
    table["Holes"] = [None, *range(1, 180)]
    table["Weeks"] = table["Days"] // 7
    table.to_csv(file, index=False)
    named = {"file": str(file), "formula": "Reaction ~ Days", "cluster": "Subject", **changes}
    with pytest.raises(DataError) as caught:
        source = TableSource(**named)
        source.given_data(str(tmp_path))
    said = str(caught.value)
    assert words in said
    assert str(named["file"]) in said
    assert "\n" not in said


def test_a_predictor_is_not_called_as_the_constant_is():
    """It would take the constant's place, and no advice be given on it."""
    table = sleepstudy().rename(columns={"Days": "intercept"})
    design = design_from_table(table, "Reaction ~ intercept", "Subject")
    with pytest.raises(DataError, match="predictor 'intercept': must have another name"):
        GivenData.of(design, "sleepstudy", ordered=False)

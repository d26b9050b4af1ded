"""Where a study's numbers come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clustrategy.steps.provenance import COMMAND, STARTED, now, provenance
from clustrategy.study.config import load
from clustrategy.study.study import Study
from tests.conftest import REPO, SMALL


def written(folder: Path) -> dict[str, object]:
    """What the step writes of the small study with its audit, as the rule calls it."""
    config = {**load(str(REPO / "config/config.yaml")), **SMALL, "audit": {"engine": "lme4"}}
    study = Study.from_config(config)
    audit = {"references": study.reference_versions, "left_out": study.left_out}
    provenance(study.config, audit, provenance=str(folder / "provenance.json"))
    return dict(json.loads((folder / "provenance.json").read_text()))


@pytest.mark.lme4
def test_it_names_r_and_its_packages(tmp_path: Path, needs_r: None) -> None:
    found = written(tmp_path)
    assert {"R", "lme4", "lmerTest"} <= set(found["r"])
    assert {"R", "lme4", "lmerTest", "statsmodels"} <= set(found["audit"]["references"])
    assert found["audit"]["left_out"] == ""


def test_it_says_why_references_were_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> dict[str, str]:
        raise FileNotFoundError

    monkeypatch.setattr("clustrategy.engines.lme4.installed", missing)
    monkeypatch.setenv(STARTED, now())
    monkeypatch.setenv(COMMAND, "snakemake --cores 2")
    found = written(tmp_path)
    assert "needs R" in found["audit"]["left_out"]
    assert found["r"] is None
    assert found["start"] <= found["end"]
    assert found["command"] == "snakemake --cores 2"
    assert found["packages"]["numpy"]
    assert found["strategies_from"] == {}


def test_files_of_strategies_are_recorded_by_their_sha256(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_bytes(b"abc")
    config = {"seed": 1, "strategies_from": [str(file)]}
    provenance(config, {}, provenance=str(tmp_path / "provenance.json"))
    # The digest of "abc" in FIPS 180-2, appendix B.1.
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    found = json.loads((tmp_path / "provenance.json").read_text())
    assert found["strategies_from"] == {str(file): known}

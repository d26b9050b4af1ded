"""The step that writes the scenarios: those that the study leaves out are not called simulated."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from clustrategy.core.scenarios import NAMES
from clustrategy.steps.scenarios import scenarios
from tests.study.test_data_study import finished


def test_what_the_study_leaves_out_is_not_simulated(tmp_path: Path) -> None:
    finished(tmp_path, sims=2)
    scenarios(str(tmp_path), scenarios=str(tmp_path / "scenarios.csv"))
    found = pd.read_csv(tmp_path / "scenarios.csv").set_index("scenario")
    assert found.index.tolist() == [*NAMES]
    assert found.index[found["simulated"]].tolist() == ["estimated", "upper_95"]

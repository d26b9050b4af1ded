"""The closing words of a study on the design of a table."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest

from clustrategy.evaluation.cell_verdicts import SCHEMA
from clustrategy.runtime.closing_words import closing_words
from clustrategy.tables.files import write_parquet
from tests.evaluation.test_wording import of_treat
from tests.study.test_data_study import study


def test_a_term_has_its_own_effect_and_cells_are_scenarios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The effects of a table are a mapping, which no number's format can write."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    verdict = {"effects": {"Days": [4.0]}}
    mine = study(verdict=verdict)
    folder = Path(mine.folder)
    folder.mkdir(parents=True)
    (folder / ".lock").touch()
    began = time.time() - 50
    os.utime(folder / ".lock", (began, began))
    found = [
        {**row, "effect": 4.0} if row.get("effect") == 0.5 else row
        for row in of_treat("CR2", 0.05, (2, 0, 0), kind="Days", terms="Days")
    ]
    columns = [pa.array([row.get(field.name) for row in found], field.type) for field in SCHEMA]
    table = pa.table(columns, schema=SCHEMA)
    write_parquet(table, str(folder / "verdicts.parquet"), {})
    said = " ".join(closing_words(mine).split())
    assert "For Days use CR2: safe in all 2 scenarios, finding an effect of 4 in 52 to 81 %" in said
    assert "under these scenarios; a choice made after a look" in said
    assert (
        "False positives at 5 %, 2 scenarios of 7 sims: range over scenarios, the highest drawn "
        "again (Monte Carlo SE), scenarios by verdict. Power: size-adjusted, at an effect of 4. "
        "Power, singular and unusable: means over these scenarios."
    ) in said

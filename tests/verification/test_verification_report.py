"""The verification in words and as a figure."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.colors import to_rgb

from clustrategy.core.errors import DataError
from clustrategy.figures.verification import WRONG, verification
from clustrategy.steps.verification_verdict import verification_verdict
from clustrategy.verification.identities import identities
from clustrategy.verification.judgement import judge
from tests.verification.studies import CELLS, STRATEGIES, fitted, study, verdicts

RED = to_rgb(WRONG)


def test_the_report_names_the_worst(tmp_path: Path) -> None:
    table, text = tmp_path / "verification.parquet", tmp_path / "verification.txt"
    performance = study()
    rows = verdicts(performance)
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), table)
    verification_verdict(str(table), str(text))
    assert "none differs" in text.read_text()
    text.unlink()
    mine = performance["measure"].eq("rejection_rate") & performance["strategy"].eq("ols")
    performance.loc[mine & performance["term"].eq("IV1"), "value"] += 0.1
    rows = verdicts(performance)
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), table)
    with pytest.raises(DataError) as caught:
        verification_verdict(str(table), str(text))
    said = str(caught.value)
    assert "2 of" in said and "rejection_rate of 'ols' for IV1 (clusters=15, treatment=" in said
    assert "Monte Carlo standard errors" in said
    assert "\n" not in said and not text.exists()


def test_the_figure_shows_every_score_and_what_differs() -> None:
    performance = study()
    mine = performance["measure"].eq("rejection_rate") & performance["strategy"].eq("ols")
    performance.loc[mine & performance["term"].eq("IV1"), "value"] += 0.1
    same = identities(CELLS[1], STRATEGIES, fitted())
    table = judge([verdicts(performance).drop(columns="verdict"), same])
    figure = verification(table, {"dpi": 50})
    scores, quantiles, _ = figure.axes
    drawn = [len(marks.get_offsets()) for marks in scores.collections]
    assert sum(drawn) == table["z"].notna().sum()
    crosses = [marks for marks in scores.collections if tuple(marks.get_edgecolor()[0][:3]) == RED]
    assert sum(len(marks.get_offsets()) for marks in crosses) == 2
    assert "2 of" in figure.texts[0].get_text()
    assert quantiles.get_ylim()[1] > table["z"].abs().max()

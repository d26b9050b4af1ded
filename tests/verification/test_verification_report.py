"""The verification in words and as a figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.colors import to_rgb

from clustrategy.core.errors import DataError
from clustrategy.figures.verification import WRONG, verification
from clustrategy.steps.verification_verdict import verification_verdict
from clustrategy.verification.identities import identities
from clustrategy.verification.judgement import judge
from clustrategy.verification.report import fault, lines
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


def known() -> list[dict[str, Any]]:
    """A number of each kind that agrees, made up by hand."""
    exact = {"kind": "exact", "statement": "coverage", "expected": 0.95, "mcse": 0.002}
    identity = {"kind": "identity", "expected": 0.0}
    rough = {"kind": "approximate", "statement": "about", "tolerance": 0.1}
    return [
        {**exact, "found": 0.952, "z": 1.0},
        {**exact, "found": 0.945, "z": -2.5},
        {**exact, "kind": "published", "expected": 0.05, "found": 0.0512, "z": 0.6},
        {**exact, "kind": "published", "expected": 0.05, "found": 0.0475, "z": -1.25},
        {**rough, "expected": 0.5, "found": 0.45},
        {**rough, "expected": 0.5, "found": 0.52},
        {**rough, "statement": "roughly", "expected": 1.0, "found": 1.0078},
        {**identity, "statement": "A = B", "tolerance": 1e-10, "found": 2e-12},
        {**identity, "statement": "A = C", "tolerance": 1e-10, "found": 5e-13},
        {**identity, "statement": "A = D", "tolerance": 1e-5, "found": 3e-7},
        {**identity, "statement": "every fit is usable", "tolerance": 0.0, "found": 0.0},
        {**identity, "statement": "every fit is usable", "tolerance": 1e-3, "found": 2e-4},
    ]


def test_the_lines_have_the_numbers_of_the_rows() -> None:
    assert [*lines(judge([pd.DataFrame(known())]))] == [
        "Verification: 12 known numbers, none differs from what the studies found.",
        # The normal quantile of 1 - .01 / 8; one of four is beyond 1.96.
        "  closed forms: 2 numbers, largest |z| 2.50 (bound 3.02 for all together), 25.0 % beyond "
        "1.96",
        "  published rates: 2, largest |z| 1.25; largest difference 0.0025",
        "  about: 2, all within 0.050",
        "  roughly: 1, all within 0.008",
        "  identities to 1e-10: 2, largest relative difference 2.0e-12",
        "  identities to 1e-05: 1, largest relative difference 3.0e-07",
        "  every fit is usable: 2 strategies, at most 0.02 % of the datasets of a cell are without "
        "numbers",
    ]
    exact = pd.DataFrame(known()[:2])
    assert len([*lines(judge([exact]))]) == 2


def test_a_fault_says_where_it_is_as_far_as_that_is_known() -> None:
    """One row is of a cell and a term, the other one of the whole study."""
    row = {**known()[0], "clusters": 15, "sigma": 0.25, "treatment": "within"}
    row |= {"strategy": "CR1", "term": "IV1", "measure": "coverage"}
    off = {**row, "found": 0.91, "z": -20.0}
    assert fault(judge([pd.DataFrame([row, off])])) == (
        "1 of 2 known numbers differ, most of all coverage of 'CR1' for IV1 (clusters=15, "
        "sigma=0.25, treatment=within): expected 0.95, found 0.91; -20.0 Monte Carlo standard "
        "errors"
    )
    whole = {"kind": "approximate", "measure": "MCSE of bias, mean ratio", "expected": 1.0}
    whole |= {"found": 1.5, "tolerance": 0.1}
    assert fault(judge([pd.DataFrame([row]), pd.DataFrame([whole])])) == (
        "1 of 2 known numbers differ, most of all MCSE of bias, mean ratio: expected 1, found "
        "1.5; 0.1 is allowed"
    )
    assert fault(judge([pd.DataFrame([row])])) is None


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

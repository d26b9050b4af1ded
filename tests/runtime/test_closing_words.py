"""The closing words of a run."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest

from clustrategy.evaluation.cell_verdicts import SCHEMA
from clustrategy.runtime.closing_words import closing_words
from clustrategy.study.study import Study
from clustrategy.tables.files import write_parquet
from tests.study.cheap import CHEAP

WITHIN, BETWEEN = "predictor within clusters", "cluster-level predictor"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study whose run began a while ago, of 2 cells."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    study = Study.from_config({**CHEAP, "sims": 50})
    Path(study.folder).mkdir(parents=True)
    Path(study.folder, ".lock").touch()
    began = time.time() - 50
    os.utime(Path(study.folder, ".lock"), (began, began))
    return study


def made(study: Study, name: str, text: str = "", ago: float = 0.0) -> None:
    """Write a file of the study, some seconds ago."""
    path = Path(study.folder, name)
    path.write_text(text)
    date = time.time() - ago
    os.utime(path, (date, date))


def verdicts(
    study: Study, kinds: tuple[str, ...] = (WITHIN,), safe: bool = False, ago: float = 0.0
) -> None:
    """Write verdicts over all cells on two strategies, the second of which is liberal."""
    rows: list[dict[str, object]] = []
    for strategy, rate in (("good", 0.04), ("bad", 0.6)):
        common = {"scope": "all", "strategy": strategy, "cells": 2, "n": 50}
        for kind in kinds:
            of_kind = {**common, "kind": kind, "terms": "IV1"}
            for measure, effect, value in (
                ("false_positive_rate", None, rate),
                ("relative_error", None, -0.08),
                ("size_adjusted_power", 0.5, 0.31),
            ):
                row = {**of_kind, "measure": measure, "effect": effect, "value": value}
                row |= {"mcse": 0.01, "lowest": min(value / 2, 1.5 * value)}
                row |= {"highest": max(value / 2, 1.5 * value)}
                row |= {"mean_over_these_cells": value, "worst_cell": "5 clusters"}
                if measure == "false_positive_rate":
                    liberal = 2 if strategy == "bad" else 0
                    certified = 2 if safe and not liberal else 0
                    row |= {"safe": bool(certified), "verdict": "liberal" if liberal else "holds"}
                    row |= {"safe_cells": certified, "liberal_cells": liberal}
                    row |= {"undecided_cells": 2 - certified - liberal}
                rows.append(row)
        for measure, worst in (("singular_rate", 0.5), ("unusable_rate", 0.04)):
            shares = {"value": worst, "highest": worst, "mean_over_these_cells": worst / 2}
            rows.append({**common, "measure": measure, **shares})
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in SCHEMA]
    path = Path(study.folder, "verdicts.parquet")
    write_parquet(pa.table(columns, schema=SCHEMA), str(path), {})
    date = time.time() - ago
    os.utime(path, (date, date))


def test_a_run_that_made_nothing_of_the_study_says_nothing(study: Study) -> None:
    assert closing_words(study) == ""
    made(study, "other.txt")
    verdicts(study, ago=1000)
    assert closing_words(study) == "", "that is of an earlier run"


def test_what_to_do_comes_first(study: Study) -> None:
    verdicts(study)
    made(study, "report.html")
    said = closing_words(study)
    assert " ".join(said.split()).startswith(
        "For predictors within clusters nothing speaks against good (finds an effect of 0.5 in "
        "31 % of datasets): not found liberal in any cell. Do not use bad (60 % false positives at "
        "worst, liberal in 2 of 2 cells). 50 sims a cell are too few to show any strategy to be "
        f"safe in all 2 cells; with `sims: {study.sims_to_certify}` (about 3 seconds) those that "
        "keep their level would be. This holds for data like those of the study, and says nothing "
        "of predictors that are constant within clusters. strategy "
    )
    assert said.endswith(
        "strategy    false positives    highest, drawn again    safe / liberal / undecided"
        "    SE error"
        "     power    singular    unusable\n"
        "----------  -----------------  ----------------------  ----------------------------"
        "  -----------"
        "  -------  ----------  ----------\n"
        "good        2.0 to 6.0 %       4.0 % (1.0)             0 / 0 / 2                   "
        "  -12 to -4 %"
        "  31 %     25 %        2.0 %\n"
        "bad         30.0 to 90.0 %     60.0 % (1.0)            0 / 2 / 0                   "
        "  -12 to -4 %"
        "  31 %     25 %        2.0 %\n"
        "False positives at 5 %, 2 cells of 50 sims: range over cells, the highest drawn again "
        "(Monte Carlo SE), cells by verdict.\n"
        "Power: size-adjusted, at an effect of 0.5. Power, singular and unusable: means over these "
        "cells.\n\n"
        "Report, to read or to send: results/cheap/report.html\n"
        "All results: results/cheap/\n"
        "Not audited: the config has no audit."
    )
    assert len(said.splitlines()) < 24


def test_sims_that_would_certify_take_longer_on_fewer_cores(study: Study) -> None:
    verdicts(study)
    one, many = (" ".join(closing_words(study, cores).split()) for cores in (1, 1000))
    assert f"with `sims: {study.sims_to_certify}` (about 3 seconds) those" in one
    assert "(about 1 second)" in many
    assert one != many


def test_nothing_is_certified_again(study: Study) -> None:
    enough = Study.from_config({**CHEAP, "sims": study.sims_to_certify})
    verdicts(enough, safe=True)
    said = " ".join(closing_words(enough).split())
    assert "use good: safe in all 2 cells" in said and "would be" not in said


def test_several_kinds_of_terms_are_columns_of_one_table(study: Study) -> None:
    verdicts(study, (WITHIN, BETWEEN))
    said = closing_words(study)
    assert "For cluster-level predictors nothing speaks against good (" in " ".join(said.split())
    (line,) = (line for line in said.splitlines() if line.startswith("bad "))
    assert line.count("60.0 % (1.0)  0 / 2 / 0") == 2
    assert " ".join(said.split()).count("50 sims a cell are too few") == 1


def test_what_the_audit_found_is_told_in_two_lines(study: Study) -> None:
    audited = Study.from_config({**CHEAP, "audit": {"engine": "lme4", "sims": 1}})
    made(audited, "audit.txt", "Audit: no fault\n  one number\n  another\n")
    words = closing_words(audited)
    assert words == (
        "\nAll results: results/cheap/\nAudit: no fault\n  details: results/cheap/audit.txt"
    )
    made(audited, "audit.txt", "Audit: no fault\n", ago=1000)
    assert closing_words(audited) == ""
    made(study, "audit.txt", "Audit: no fault\n")
    assert "no fault" not in closing_words(study), "this study has no audit any more"


def test_other_targets_say_where_the_results_are(study: Study) -> None:
    Path(study.folder, "figures").mkdir()
    assert closing_words(study) == "\nAll results: results/cheap/"

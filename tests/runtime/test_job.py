"""What surrounds the script of a job."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clustrategy.core.errors import ConfigError, DataError, EngineError
from clustrategy.runtime.job import job
from clustrategy.runtime.receipts import are_good, receipt_file


def snakemake(folder: Path, **params: Any) -> Any:
    """Return what Snakemake hands to a script that writes a file, `out`."""
    log = folder / "logs" / "job.log"
    log.parent.mkdir()
    return SimpleNamespace(log=[str(log)], params=params, output=[folder / "out"])


def test_a_job_that_knows_its_origin_leaves_a_receipt(tmp_path: Path) -> None:
    mine = snakemake(tmp_path, made_from="origin")
    with job(mine):
        (tmp_path / "out").write_text("made")
    assert are_good(mine.log[0], "origin", [str(tmp_path / "out")])
    assert not Path(mine.log[0]).exists()


def test_other_jobs_leave_none(tmp_path: Path) -> None:
    mine = snakemake(tmp_path)
    with job(mine):
        (tmp_path / "out").write_text("made")
    assert not receipt_file(mine.log[0]).exists()


@pytest.mark.parametrize("error", [ConfigError, DataError, EngineError])
def test_an_error_of_the_user_is_one_sentence(tmp_path: Path, error: type[Exception]) -> None:
    mine = snakemake(tmp_path, made_from="origin")
    with pytest.raises(SystemExit) as end, job(mine):
        raise error("the file is damaged")
    assert end.value.code == "clustrategy: the file is damaged"
    assert Path(mine.log[0]).read_text() == "clustrategy: the file is damaged\n"
    assert not receipt_file(mine.log[0]).exists()


def test_any_other_error_stands_in_the_log(tmp_path: Path) -> None:
    mine = snakemake(tmp_path, made_from="origin")
    with pytest.raises(ZeroDivisionError), job(mine):
        (tmp_path / "out").write_text("made")
        1 / 0  # noqa: B018
    text = Path(mine.log[0]).read_text()
    assert text.startswith("Traceback") and "ZeroDivisionError" in text and __file__ in text
    assert not receipt_file(mine.log[0]).exists()


def test_a_job_without_its_file_is_said(tmp_path: Path) -> None:
    mine = snakemake(tmp_path, made_from="origin")
    with pytest.raises(FileNotFoundError), job(mine):
        pass
    assert "FileNotFoundError" in Path(mine.log[0]).read_text()


HIDDEN = """
import sys
from types import SimpleNamespace
from clustrategy.runtime.job import job

with job(SimpleNamespace(log=["log"], params={}, output=[]), pandas=PANDAS):
    import pyarrow
    pyarrow.array([1.5])
    print("pandas" in sys.modules)
import pandas
print(len(pandas.DataFrame({"a": [1]})))
"""


def test_pandas_is_hidden_from_pyarrow_alone(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN.replace("PANDAS", "False")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["False", "1"], done.stderr

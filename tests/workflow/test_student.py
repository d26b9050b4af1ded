"""The example on real data through Snakemake."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.conftest import SMALL, Checkout
from tests.examples.student import (
    EXPECTED,
    FILES,
    OUTER,
    TWIN,
)


class Plain(SimpleHTTPRequestHandler):
    """A server of files as Python has it."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Terse(BaseHTTPRequestHandler):
    """A server that refuses HEAD and tells neither a size nor a date."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        """Refuse."""
        self.send_error(405)

    def do_GET(self) -> None:
        """Send the archive in chunks, or its absence."""
        if not self.path.endswith(".zip"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(OUTER), OUTER))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server of this machine; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def configured(**change: Any) -> dict[str, Any]:
    change.setdefault("sha256", hashlib.sha256(TWIN).hexdigest())
    return {**SMALL, "student": change}


def check_results(here: Checkout) -> None:
    folder = here.result("student")
    table = pd.read_csv(folder / "coefficients.csv")
    for strategy, expected in EXPECTED.items():
        row = table[(table["strategy"] == strategy) & (table["term"] == "absences")].iloc[0]
        assert dict(row[list(expected)]) == pytest.approx(expected, rel=1e-8)
    assert "6.45 times smaller" in (folder / "student.md").read_text()
    assert (folder / "student.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "student.pdf").read_bytes().startswith(b"%PDF")


def sentence(text: str) -> str:
    """The one line that clustrategy said before any job."""
    assert "Traceback" not in text
    (line,) = [line for line in text.splitlines() if line.startswith("clustrategy:")]
    return line


def test_a_run_with_a_local_file(checkout: Callable[..., Checkout]) -> None:
    here = checkout()
    (here.folder / "my tables").mkdir()
    (here.folder / "my tables/copy.zip").write_bytes(OUTER)
    mine = configured(file="my tables/copy.zip")
    here.run("student", config=mine)
    check_results(here)
    assert sorted(path.name for path in here.result("student").iterdir()) == sorted(FILES)
    assert "Nothing to be done" in here.run("student", config=mine).output

    other = configured(file="none.csv")
    assert "none.csv: there is no such file" in sentence(
        here.run("student", config=other, expect=1).output
    )
    check_results(here)

    # Before any job, and once.
    for change, words in (
        ({"cluster": "shcool"}, "copy.zip: the data have no column 'shcool' for the clusters"),
        ({"formula": "G3 ~ absence"}, "copy.zip: the data have no column 'absence'"),
    ):
        wrong = configured(file="my tables/copy.zip", **change)
        run = here.run("student", "--dry-run", config=wrong, expect=1)
        assert words in sentence(run.output)
        assert "CalledProcessError" not in run.output


@pytest.mark.parametrize("kind", ["plain", "terse"])
def test_a_run_that_downloads(checkout: Callable[..., Checkout], tmp_path: Path, kind: str) -> None:
    here = checkout()
    (tmp_path / "www").mkdir()
    (tmp_path / "www/student+performance.zip").write_bytes(OUTER)
    handler = Terse if kind == "terse" else partial(Plain, directory=str(tmp_path / "www"))
    with served(handler) as address:
        mine = configured(url=f"{address}/student+performance.zip")
        here.run("student", config=mine)
    check_results(here)
    assert here.result("student/student-mat.csv").read_bytes() == TWIN
    if kind == "terse":
        return

    # The server is gone.
    assert "Nothing to be done" in here.run("student", config=mine).output
    here.result("student/student.md").unlink()
    here.run("student", config=mine)
    check_results(here)

    here.result("student/student-mat.csv").write_bytes(TWIN[:-5])
    run = here.run("student", config=mine, expect=1)
    assert "delete that file to download the table again" in run.output.replace("\n", " ")
    assert "Traceback" not in run.output


def test_a_run_without_a_network(checkout: Callable[..., Checkout]) -> None:
    here = checkout()
    with served(Terse) as address:
        pass
    mine = configured(url=f"{address}/x.zip")
    for more in ([], ["--dry-run"]):
        run = here.run("student", *more, config=mine, expect=1)
        said = sentence(run.output)
        assert "cannot be reached" in said
        assert "student.file" in said
    assert "Traceback" not in here.run("--dry-run", config=mine).output


def test_a_run_with_the_wrong_download(checkout: Callable[..., Checkout]) -> None:
    here = checkout()
    with served(Terse) as address:
        mine = configured(url=f"{address}/gone")
        run = here.run("student", config=mine, expect=1)
        assert "status 404" in sentence(run.output)
        mine = configured(url=f"{address}/x.zip", sha256=64 * "0")
        run = here.run("student", config=mine, expect=1)
    assert "Traceback" not in run.output
    log = here.result("logs/student_table.log").read_text()
    assert sentence(log) == log.strip()
    assert "sha256" in log
    assert not here.result("student/student-mat.csv").exists()

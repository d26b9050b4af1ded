"""The example on real data: its numbers, its files and its words."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clustrategy.core.errors import ConfigError, DataError
from clustrategy.core.shard import Shard
from clustrategy.examples.student_page import page as page_of
from clustrategy.examples.student_regressions import (
    CLUSTERED,
    CREDITS,
    NORMAL,
    UNCLUSTERED,
    Example,
    example,
)
from clustrategy.examples.student_table import Settings, Table, check_url
from clustrategy.figures.student import student_figure
from clustrategy.steps.student_table import student_table
from tests.conftest import SMALL, Checkout

# Rows, sums of x and y, sums of xx, xy and yy of absences (x) and G3 (y) in the real table.
SUMS = {
    "GP": (349, 2082, 3661, 36636, 22365, 45849),
    "MS": (46, 173, 453, 1473, 1616, 5269),
}
# What statsmodels says of the real table.
SLOPE, INTERCEPT = 0.019605177753277032, 10.303266643459136
EXPECTED = {
    UNCLUSTERED: {
        "std_error": 0.028859787521019004,
        "statistic": 0.6793250899369337,
        "p_value": 0.4973317955435321,
        "df": 393.0,
    },
    CLUSTERED: {
        "std_error": 0.004473882328689159,
        "statistic": 4.382139786636123,
        "p_value": 0.1428302427067887,
        "df": 1.0,
    },
    NORMAL: {
        "std_error": 0.004473882328689159,
        "statistic": 4.382139786636123,
        "p_value": 1.1751936470548017e-05,
        "df": np.inf,
    },
}
INTERCEPT_ERRORS = {
    UNCLUSTERED: 0.2834708186192133,
    CLUSTERED: 0.0978663734971912,
    NORMAL: 0.0978663734971912,
}
FILES = ("coefficients.csv", "student.md", "student.png", "student.pdf")


def twin() -> pd.DataFrame:
    """A table that has the regressions of the real one, for it has the same sums."""
    parts = []
    for school, (n, sx, sy, sxx, sxy, syy) in SUMS.items():
        t = np.linspace(-1, 1, n)
        _, first, second = np.linalg.qr(np.column_stack([np.ones(n), t, t**2]))[0].T
        sxx, sxy, syy = sxx - sx * sx / n, sxy - sx * sy / n, syy - sy * sy / n
        x = sx / n + np.sqrt(sxx) * first
        y = sy / n + sxy / np.sqrt(sxx) * first + np.sqrt(syy - sxy**2 / sxx) * second
        parts.append(pd.DataFrame({"school": school, "absences": x, "G3": y}))
    return pd.concat(parts)


def as_bytes(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, sep=";").encode()


TWIN = as_bytes(twin())


def settings(**change: Any) -> dict[str, Any]:
    return {
        "file": "a local file",
        "member": "student-mat.csv",
        "sha256": None,
        "formula": "G3 ~ absences",
        "cluster": "school",
    } | change


def zipped(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return archive.getvalue()


INNER = zipped({"student-por.csv": b"no", "student-mat.csv": TWIN})
OUTER = zipped({".student.zip_old": b"no", "student.zip": INNER})


def made(folder: Path, table: pd.DataFrame, **change: Any) -> Example:
    path = folder / "table.csv"
    path.write_bytes(as_bytes(table))
    return example(path, Settings(**settings(**change)))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return made(tmp_path_factory.mktemp("student"), twin())


def clinics(count: int, rows: int, slope: float = 1) -> pd.DataFrame:
    rng = np.random.default_rng(count)
    clinic = np.repeat(np.arange(count), rows)
    dose, age = rng.normal(size=(2, count * rows))
    y = slope * dose + age + rng.normal(size=count)[clinic] + rng.normal(size=count * rows)
    names = [f"c{code:02}" for code in clinic]
    return pd.DataFrame({"clinic": names, "the dose": dose, "age": age, "y": y})


# The numbers


@pytest.mark.parametrize("strategy", EXPECTED)
def test_the_regressions_are_statsmodels(real: Example, strategy: str) -> None:
    row = real.slope(strategy)
    assert row["estimate"] == pytest.approx(SLOPE, rel=1e-8)
    assert {key: row[key] for key in EXPECTED[strategy]} == pytest.approx(
        EXPECTED[strategy], rel=1e-8
    )
    other = real.table[(real.table["strategy"] == strategy) & (real.table["term"] != "absences")]
    assert other["estimate"].item() == pytest.approx(INTERCEPT, rel=1e-8)
    assert other["std_error"].item() == pytest.approx(INTERCEPT_ERRORS[strategy], rel=1e-8)


def test_two_scores_sum_to_zero_and_give_a_variance_of_rank_one(real: Example) -> None:
    np.testing.assert_allclose(real.scores.sum(axis=0), 0, atol=1e-8)
    assert np.abs(real.scores).min() > 20
    assert real.rank == 1
    X = real.shard.X
    one = np.linalg.inv(X.T @ X) @ real.scores[0]
    n = len(X)
    error = np.sqrt(2 * (n - 1) / (n - 2) * 2) * abs(one[1])
    assert error == pytest.approx(EXPECTED[CLUSTERED]["std_error"], rel=1e-8)


def test_each_clusters_own_fit(real: Example) -> None:
    for (n, sx, sy, sxx, sxy, _), own in zip(SUMS.values(), real.own, strict=True):
        slope = (sxy - sx * sy / n) / (sxx - sx * sx / n)
        np.testing.assert_allclose(own, [sy / n - slope * sx / n, slope], rtol=1e-8)


def test_the_expected_standard_error_is_the_mean_over_all_residuals() -> None:
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(20), rng.normal(size=20)])
    shard = Shard(np.zeros(20), X, np.array([[12, 5, 3]]), ("(Intercept)", "x"))
    it = Example("", "y ~ x", "g", "abc", shard, pd.DataFrame(), {})
    bread = np.linalg.inv(X.T @ X)
    mean = 0.0
    for unit in np.eye(20):
        residual = unit - X @ bread @ X.T @ unit
        for code in range(3):
            rows = it.codes == code
            mean += (bread @ X[rows].T @ residual[rows])[1] ** 2
    expected = np.sqrt(3 / 2 * 19 / 18 * mean / bread[1, 1])
    assert it.expected_ratio == pytest.approx(expected, rel=1e-12)


# The words


def test_the_page_of_the_real_table(real: Example) -> None:
    page = page_of(real)
    assert "{" not in page
    ratio = EXPECTED[UNCLUSTERED]["std_error"] / EXPECTED[CLUSTERED]["std_error"]
    assert f"{ratio:.2f} times smaller" in page
    for words in (
        "2 clusters: GP 349, MS 46",
        "Neither t test finds",
        "p = 0.497 unclustered and p = 0.143 clustered",
        "rank 1",
        "Only 1 degree of freedom is left",
        "p = 1.18e-05",
        "need more than 2 clusters as well",
        "fixed effect",
        "(student.png)",
    ):
        assert words in page
    assert "Cortez" not in page, "the twin is not the real table"


def test_the_credit_follows_the_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CREDITS, hashlib.sha256(TWIN).hexdigest(), "a well-known table")
    assert "The table: a well-known table." in page_of(made(tmp_path, twin()))


@pytest.mark.parametrize(
    ("count", "there", "not_there"),
    [
        (
            2,
            ["What is wrong with it", "rank 1", "c00 30, c01 30"],
            [],
        ),
        (
            5,
            ["How far to trust it", "rank 2", "Only 4 degrees of freedom are", "C(clinic)"],
            ["What is wrong with it", "more than 2 clusters as well", "1 degree of"],
        ),
        (
            50,
            ["How far to trust it", "30 rows each", "49 degrees of freedom are", "40 more"],
            ["Only", "What to do instead", "C(clinic)", "c10"],
        ),
    ],
)
def test_the_page_of_other_tables(
    tmp_path: Path, count: int, there: list[str], not_there: list[str]
) -> None:
    change = {"formula": "y ~ `the dose`", "cluster": "clinic"}
    it = made(tmp_path, clinics(count, 30), **change)
    page = page_of(it)
    assert "{" not in page
    assert [words for words in there if words not in page] == []
    assert [words for words in not_there if words in page] == []
    larger = it.slope(CLUSTERED)["std_error"] > it.slope(UNCLUSTERED)["std_error"]
    assert f"times {'larger' if larger else 'smaller'}" in page
    assert "`` y ~ `the dose` ``" in page


# The figure


def words_of(it: Example) -> str:
    figure = student_figure(it, {})
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    return " ".join(text.get_text() for text in texts).replace("\n", " ")


def test_the_figure_shows_the_trap(real: Example) -> None:
    words = words_of(real)
    assert "6.45 times smaller" in words
    assert "p = 1.2e-05: zero is outside" in words
    assert words.count("zero is outside") == 1
    assert "The trap" in words


def test_the_figure_draws_the_first_of_several_predictors_and_says_so(tmp_path: Path) -> None:
    change = {"formula": "y ~ age + `the dose`", "cluster": "clinic"}
    it = made(tmp_path, clinics(8, 12), **change)
    assert it.term == "age"
    assert "Of several predictors age is drawn" in words_of(it)


def test_a_cluster_whose_rows_give_no_slope_has_none(tmp_path: Path) -> None:
    table = pd.concat([twin(), pd.DataFrame({"school": ["ZZ"], "absences": [1.0], "G3": [2.0]})])
    it = made(tmp_path, table)
    assert np.isnan(it.own[2]).all()
    assert "nan" not in words_of(it)
    row = next(line for line in page_of(it).splitlines() if line.startswith("| ZZ"))
    assert "nan" not in row


# The files


@pytest.mark.parametrize(
    "content", [TWIN, INNER, OUTER, zipped({"a/b/student-mat.csv": TWIN})], ids=len
)
def test_the_table_is_found_in_any_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "download").write_bytes(content)
    wanted = settings(sha256=hashlib.sha256(TWIN).hexdigest().upper(), url="http://x")
    student_table(tmp_path / "download", tmp_path / "table.csv", wanted)
    assert (tmp_path / "table.csv").read_bytes() == TWIN


@pytest.mark.parametrize(
    ("content", "change", "words"),
    [
        (OUTER, {"sha256": 64 * "0"}, ["sha256", hashlib.sha256(TWIN).hexdigest()]),
        (OUTER, {"member": "nope.csv"}, ["holds no 'nope.csv'", "student.member"]),
        (OUTER, {"member": "mat.csv"}, ["holds no 'mat.csv'"]),
        (INNER[:3000] + INNER[3050:], {}, ["the archive cannot be read"]),
    ],
)
def test_a_download_that_is_not_the_table(
    tmp_path: Path, content: bytes, change: dict[str, Any], words: list[str]
) -> None:
    (tmp_path / "download").write_bytes(content)
    with pytest.raises(DataError) as caught:
        wanted = settings(url="http://there/x.zip", **change)
        student_table(tmp_path / "download", tmp_path / "table.csv", wanted)
    said = str(caught.value)
    assert [word for word in ["http://there/x.zip", *words] if word not in said] == []
    assert "\n" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["download"]


@pytest.mark.parametrize(
    ("content", "change", "words"),
    [
        (b"a;b\n1;2\n", {}, ["no column 'school'", "they have a, b"]),
        (TWIN, {"formula": "G4 ~ absences"}, ["no column 'G4'"]),
        (TWIN, {"formula": "G3 ~ 1"}, ["no predictor"]),
        (TWIN, {"formula": "school ~ absences"}, ["one column of numbers"]),
        (b"school,absences,G3\nGP,1,2\nGP,2,4\nGP,4,5\n", {}, ["one cluster"]),
        (b"school,absences,G3\nGP,1,2\nMS,1,4\nMS,1,5\n", {}, ["regression failed"]),
        (b"", {}, ["not a CSV table"]),
        (b"\xff\xfe\x00\x01", {}, ["not a CSV table"]),
        (b"school,G3\na,b,c\na,b,c,d,e\n", {}, ["not a CSV table"]),
        (TWIN, {"sha256": 64 * "0"}, ["set student.sha256 to null"]),
        (TWIN, {"sha256": 64 * "0", "file": None}, ["delete that file"]),
    ],
)
def test_a_table_that_cannot_be_used(
    tmp_path: Path, content: bytes, change: dict[str, Any], words: list[str]
) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        example(tmp_path / "table.csv", Settings(**settings(**change)))
    said = str(caught.value)
    assert [word for word in words if word not in said] == []
    assert "\n" not in said


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        example(tmp_path / "table.csv", Settings(**settings()))
    table = Table(Settings(**settings(file=str(tmp_path / "none.csv"))), "folder")
    with pytest.raises(SystemExit, match=r"none\.csv: there is no such file"):
        table.path()


def test_an_address_that_is_none() -> None:
    for url in (None, "ftp://x/y.zip", "y.zip"):
        with pytest.raises(ConfigError, match="http or https"):
            check_url(url)


# The workflow


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


DIRECT = {"env": os.environ | {"COLUMNS": "200", "NO_PROXY": "127.0.0.1"}}


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


@pytest.mark.parametrize("kind", ["plain", "terse"])
def test_a_run_that_downloads(checkout: Callable[..., Checkout], tmp_path: Path, kind: str) -> None:
    here = checkout()
    (tmp_path / "www").mkdir()
    (tmp_path / "www/student+performance.zip").write_bytes(OUTER)
    handler = Terse if kind == "terse" else partial(Plain, directory=str(tmp_path / "www"))
    with served(handler) as address:
        mine = configured(url=f"{address}/student+performance.zip")
        here.run("student", config=mine, **DIRECT)
    check_results(here)
    assert here.result("student/student-mat.csv").read_bytes() == TWIN
    if kind == "terse":
        return

    # The server is gone.
    assert "Nothing to be done" in here.run("student", config=mine, **DIRECT).output
    here.result("student/student.md").unlink()
    here.run("student", config=mine, **DIRECT)
    check_results(here)

    here.result("student/student-mat.csv").write_bytes(TWIN[:-5])
    run = here.run("student", config=mine, expect=1, **DIRECT)
    assert "delete that file to download the table again" in run.output.replace("\n", " ")
    assert "Traceback" not in run.output


def test_a_run_without_a_network(checkout: Callable[..., Checkout]) -> None:
    here = checkout()
    with served(Terse) as address:
        pass
    mine = configured(url=f"{address}/x.zip")
    for more in ([], ["--dry-run"]):
        run = here.run("student", *more, config=mine, expect=1, **DIRECT)
        said = sentence(run.output)
        assert "cannot be reached" in said
        assert "student.file" in said
    assert "Traceback" not in here.run("--dry-run", config=mine).output


def test_a_run_with_the_wrong_download(checkout: Callable[..., Checkout]) -> None:
    here = checkout()
    with served(Terse) as address:
        mine = configured(url=f"{address}/gone")
        run = here.run("student", config=mine, expect=1, **DIRECT)
        assert "status 404" in sentence(run.output)
        mine = configured(url=f"{address}/x.zip", sha256=64 * "0")
        run = here.run("student", config=mine, expect=1, **DIRECT)
    assert "Traceback" not in run.output
    log = here.result("logs/student_table.log").read_text()
    assert sentence(log) == log.strip()
    assert "sha256" in log
    assert not here.result("student/student-mat.csv").exists()

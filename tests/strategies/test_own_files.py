"""Files of the user's own: how they are run, and what is said of those that cannot be."""

from __future__ import annotations

import builtins
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.core.fits import Fits
from clustrategy.engines.chosen import Strategy, registry
from clustrategy.strategies.own_files import load_files
from tests.material import random_shard
from tests.own_strategies import FILE, HEAD, between, blank

SHARD = random_shard(1, 2, 9, 2, 5)

CONSTANT = (
    HEAD
    + """
import helper

@strategy("constant")
def constant(shard):
    fits = Fits.blank(shard.sims, shard.p)
    fits.estimate[:], fits.std_error[:], fits.df[:] = helper.VALUE, 1, 1
    return fits
"""
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder; what is loaded is forgotten in the end."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    load_files([])


def write(**files: str) -> list[str]:
    """Write Python files, and return their names."""
    for name, text in files.items():
        Path(f"{name}.py").write_text(text)
    return [f"{name}.py" for name in files]


def estimate(name: str = "constant") -> float:
    """Return the first estimate of a strategy."""
    return float(Strategy.parse(name).fit(SHARD).estimate[0, 0])


def test_the_readmes_strategy_is_regression_of_means_on_means() -> None:
    Path(FILE).write_text(between())
    load_files([FILE])
    found = Strategy.parse("between").fit(SHARD)
    assert list(found.status) == ["ok", "ok"] and set(found.df.ravel()) == {7}
    means = np.array([part.mean(axis=0) for part in np.split(np.c_[SHARD.X, SHARD.y], 18)])[:9]
    expected = np.linalg.lstsq(means[:, :2], means[:, 2])[0]
    np.testing.assert_allclose(found.estimate[0], expected, rtol=1e-12)


def test_a_file_is_run_once_until_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    monkeypatch.setattr(builtins, "runs", runs, raising=False)
    files = write(mine=f"runs.append(1)\n{blank('own')}", helper="")
    for _ in range(2):
        load_files(files[:1])
    assert len(runs) == 1
    write(helper="edited = True")  # which nothing imports
    load_files(files[:1])
    assert len(runs) == 1
    write(mine=f"runs.append(1)\n{blank('other')}")
    load_files(files[:1])
    assert len(runs) == 2 and "other" in registry() and "own" not in registry()


def test_an_edit_of_a_module_beside_it_counts_at_once() -> None:
    """Of the same size and date as before, so that bytecode would not be told from it."""
    files = write(mine=CONSTANT, helper="VALUE = 1")
    load_files(files[:1])
    assert estimate() == 1
    date = os.stat("helper.py")
    write(helper="VALUE = 2")
    os.utime("helper.py", ns=(date.st_atime_ns, date.st_mtime_ns))
    load_files(files[:1])
    assert estimate() == 2
    assert sorted(path.name for path in Path().iterdir()) == ["helper.py", "mine.py"]


def test_folders_do_not_mix_in_one_process(folder: Path) -> None:
    for value in (1, 2):
        (folder / str(value)).mkdir()
        os.chdir(folder / str(value))
        write(mine=CONSTANT, helper=f"VALUE = {value}")
    load_files([str(folder / "1/mine.py")])
    first = Strategy.parse("constant")
    load_files([str(folder / "2/mine.py")])
    assert estimate() == 2 and first.fit(SHARD).estimate[0, 0] == 1
    load_files([])
    assert first.fit(SHARD).estimate[0, 0] == 1 and first.finite_variance(9, 1)
    with pytest.raises(ConfigError, match="unknown strategy 'constant'"):
        Strategy.parse("constant")
    assert not {"mine", "helper"} & set(sys.modules)


def test_modules_may_be_imported_when_a_fit_is_made() -> None:
    late = CONSTANT.replace("import helper\n", "").replace(
        "    fits =", "    import helper\n    fits ="
    )
    load_files(write(mine=late, helper="VALUE = 3")[:1])
    assert estimate() == 3


def test_packages_and_plain_folders_beside_it_are_modules() -> None:
    for name in ("packed", "plain"):
        Path(name).mkdir()
    Path("packed/__init__.py").write_text("from .values import ONE")
    Path("packed/values.py").write_text("ONE = 1")
    Path("plain/values.py").write_text("THREE = 3")
    helper = "import packed\nfrom plain.values import THREE\nVALUE = packed.ONE + THREE"
    load_files(write(mine=CONSTANT, helper=helper)[:1])
    assert estimate() == 4
    Path("packed/values.py").write_text("ONE = 2")
    load_files(["mine.py"])
    assert estimate() == 5


def test_the_standard_library_is_not_hidden_and_its_names_may_be_used() -> None:
    helper = "import statistics\nVALUE = statistics.fmean([1, 2])"
    load_files(write(statistics=CONSTANT, helper=helper)[:1])
    assert estimate() == 1.5


def test_files_may_import_each_other() -> None:
    one, other = write(one=f"import other\n{blank('first')}", other=blank("second"))
    for files in ([one, other], [other, one], [one]):
        load_files(files)
        assert {"first", "second"} <= registry().keys()
        load_files([])


def test_a_file_that_was_imported_before_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    write(mine_too=blank("own"))
    monkeypatch.syspath_prepend(Path.cwd())
    importlib.import_module("mine_too")
    load_files(["mine_too.py"])
    assert sys.modules["mine_too"].own is Strategy.parse("own").function


def test_what_it_prints_stays_away_from_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    load_files(write(mine=f"print('hello')\n{blank('own')}"))
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "hello\n")


def test_what_fails_leaves_nothing_behind() -> None:
    before, finders = set(registry()), len(sys.meta_path)
    files = write(good=blank("own"), bad=f"{blank('more')}\n1 / 0")
    with pytest.raises(ConfigError, match="^bad.py, line 9: ZeroDivisionError: division by zero$"):
        load_files(files)
    assert set(registry()) == before and not {"good", "bad"} & set(sys.modules)
    assert len(sys.meta_path) == finders
    load_files(files[:1])
    assert "own" in registry()


DECORATED = HEAD + "@strategy('own'{})\n{}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{HEAD}def f(:\n", "mine.py, line 4 is not valid Python: invalid syntax"),
        ("x = '\0'", "mine.py is not valid Python: source code string cannot contain null bytes"),
        (f"x = {'+'.join('1' * 9999)}", "mine.py is not valid Python: maximum recursion depth"),
        ("import nosuchmodule", "mine.py, line 1: ModuleNotFoundError: No module named 'nosuchmo"),
        ("import sys\nsys.exit(3)", "mine.py, line 2: SystemExit: 3"),
        ("raise KeyError", "mine.py, line 1: KeyError"),
        ("raise ValueError('a\\n\\x07' + 'b' * 999)", f"line 1: ValueError: a ?{'b' * 197}..."),
        ("import helper\nhelper.f()", "helper.py, line 2: ZeroDivisionError: division by zero"),
        ("import worse", "worse.py, line 1 is not valid Python: invalid syntax"),
        ("import ast\nast.parse('x x')", "mine.py, line 2: SyntaxError: invalid syntax (<unknow"),
        (
            "class Odd(Exception):\n    def __str__(self): return 1 / 0\nraise Odd",
            "mine.py, line 3: Odd",
        ),
        (HEAD, 'mine.py: registers no strategy; put @strategy("its name") of clustrategy.strateg'),
        (
            blank("ols"),
            "mine.py, line 5: strategy 'ols' has the engine 'numpy' already, by ols in "
            "clustrategy/strategies/ols.py, line 11; the one by ols in mine.py, line 5 needs "
            "another name or engine",
        ),
        (
            blank("own", "own"),
            "'own' has the engine 'numpy' already, by own in mine.py, line 5; the one by own in "
            "mine.py, line 10 needs another",
        ),
        (
            HEAD + "@strategy\ndef f(shard): ...",
            'mine.py, line 4: @strategy takes the name as text, as in @strategy("between"), found '
            "<function f at",
        ),
        (HEAD + "@strategy('')\ndef f(shard): ...", "takes the name as text, as in @strategy"),
        (HEAD + "@strategy('a', engine=None)\ndef f(shard): ...", "takes the engine as text, as i"),
        (
            DECORATED.format("", "def f(): ..."),
            "mine.py, line 4: strategy 'own': f must take shard, and then a * and its options, "
            "each with a default; found ()",
        ),
        (DECORATED.format("", "def f(shard, draws=9): ..."), "default; found (shard, draws)"),
        (DECORATED.format("", "def f(shard, **more): ..."), "default; found (shard, more)"),
        (DECORATED.format("", "def f(*shards): ..."), "each with a default; found (shards)"),
        (DECORATED.format("", "def f(*, shard=1): ..."), "each with a default; found (shard)"),
        (
            DECORATED.format(", resamples=lambda **_: True", "def f(shard): ..."),
            "f must take shard and nulls, and then a * and its options",
        ),
        (
            DECORATED.format(", resamples=True", "def f(shard): ..."),
            "strategy 'own': resamples must be a function, found True",
        ),
        (DECORATED.format("", "def f(shard, *, n): ..."), "the option 'n' of f needs a default"),
        (
            DECORATED.format("", "def f(shard, *, engine=1): ..."),
            "f cannot have an option 'engine', which entries of configs have",
        ),
        (DECORATED.format("", "class F: ..."), "strategy 'own': expected a function, found <class"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(text: str, sentence: str) -> None:
    write(mine=text, helper="def f():\n    1 / 0", worse="x = = 1")
    with pytest.raises(ConfigError) as raised:
        load_files(["mine.py"])
    said = str(raised.value)
    assert sentence in said and said.isprintable() and len(said) < 400


def test_files_that_are_not_there_or_no_python(folder: Path) -> None:
    write(my_strategy=blank("own"))
    Path("folder.py").mkdir()
    Path("mine.txt").write_text(blank("own"))
    for file, sentence in {
        "my_strategies.py": r"no file 'my_strategies.py' \(did you mean 'my_strategy.py'\?",
        "my_strategy": r"no file 'my_strategy' \(did you mean 'my_strategy.py'\?",
        "nowhere/mine.py": "there is no file 'nowhere/mine.py'$",
        "folder.py": "there is no file 'folder.py'",
        "mine.txt": "the name of a Python file ends in .py, found 'mine.txt'",
        f"{'x' * 999}.py": r"x\.\.\.x*.py' cannot be read \(File name too long\)",
    }.items():
        with pytest.raises(ConfigError, match=sentence):
            load_files([file])


def test_names_of_all_kinds_of_files() -> None:
    for name in ("my-own.strategies", "clustrategy", "numpy", "für uns"):
        load_files(write(**{name: blank("own")}))
        assert isinstance(Strategy.parse("own").fit(SHARD), Fits)
    assert sys.modules["numpy"] is np


def test_another_engine_of_a_strategy_may_be_ones_own() -> None:
    load_files(write(mine=blank("ols").replace('("ols"', '("ols", engine="mine"')))
    assert list(registry()["ols"]) == ["numpy", "mine", "statsmodels"]
    assert Strategy.parse({"strategy": "ols", "engine": "mine"}).function.__module__ == "mine"
    load_files([])
    assert list(registry()["ols"]) == ["numpy", "statsmodels"]


@pytest.mark.parametrize("line", ["shard.y -= 1", "shard.X[:] = 0", "shard.dataset(0).y[0] = 9"])
def test_data_cannot_be_changed_for_the_other_strategies(line: str) -> None:
    shard = random_shard(1, 2, 9, 2, 5)
    load_files(write(mine=blank("own").replace("    return", f"    {line}\n    return")))
    found = Strategy.parse("own").fit(shard)
    assert list(found.status) == ["error", "error"]
    assert "read-only" in found.message[0]
    assert np.array_equal(shard.y, SHARD.y) and np.array_equal(shard.X, SHARD.X)
    shard.y[0] = 0  # The owner still can.

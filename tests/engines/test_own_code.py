"""What a strategy of one's own is made from: its file, and the modules that this imports."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.core.sources import PACKAGE
from clustrategy.engines.chosen import Strategy
from clustrategy.strategies.own_files import load_files
from clustrategy.strategies.registry import forget
from tests.own_strategies import HEAD

FILES = {
    "mine.py": HEAD
    + "import helper\nfrom makers import maker\n\n\n"
    + "@strategy('one')\ndef one(shard):\n    return helper.blank(shard)\n\n\n"
    + "strategy('two')(maker(2))\n",
    "helper.py": "from packed.inner import blank\n",
    "packed/__init__.py": "",
    "packed/inner.py": "from clustrategy.core.fits import Fits\n\n\n"
    "def blank(shard):\n    return Fits.blank(shard.sims, shard.p)\n",
    "makers.py": "def maker(size):\n    def fit(shard):\n        return size\n    return fit\n",
    "unused.py": "",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the files, the current one; what is loaded is forgotten in the end."""
    folder = tmp_path / "here"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    yield folder
    load_files([])


def digests() -> dict[str, str]:
    """Return the digests of the strategies in mine.py, and of one of the package."""
    load_files(["mine.py"])
    return {name: Strategy.parse(name).digest for name in ("one", "two", "two_stage")}


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("mine.py", "helper.blank(shard)", "helper.blank(shard) or 1", {"one", "two"}),
        ("mine.py", "maker(2)", "maker(3)", {"one", "two"}),
        ("mine.py", "def one(shard):\n", 'def one(shard):\n    """Words."""  # alone\n', set()),
        ("mine.py", "import helper\n", "# Words\n\nimport helper\n", set()),
        ("helper.py", "from", "SIZE = 1\nfrom", {"one", "two"}),
        ("packed/inner.py", "shard.p)", "shard.p + 0)", {"one", "two"}),
        ("packed/__init__.py", "", "SIZE = 1", {"one", "two"}),
        ("makers.py", "return size", "return -size", {"one", "two"}),
        ("unused.py", "", "SIZE = 1", set()),
    ],
)
def test_an_edit_changes_the_digests_of_what_it_is_code_of(
    folder: Path, file: str, old: str, new: str, changed: set[str]
) -> None:
    before = digests()
    text = (folder / file).read_text()
    (folder / file).write_text(text.replace(old, new) if old else new)
    after = digests()
    assert {name for name in before if before[name] != after[name]} == changed


def test_the_folder_and_the_way_it_is_named_are_of_no_account(folder: Path) -> None:
    before = digests()
    for name in ("another", "zzz"):
        there = shutil.copytree(folder, folder.with_name(name))
        load_files([str(there / "mine.py")])
        assert Strategy.parse("one").digest == before["one"]


def test_the_code_is_in_the_same_order_wherever_the_file_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Own files come first, whether their path is before that of the package or behind it."""
    load_files(["mine.py"])
    own = [file.name for file in Strategy.parse("one").code if PACKAGE not in file.parents]
    assert [file.name for file in Strategy.parse("one").code[: len(own)]] == own
    assert {"mine.py", "helper.py", "__init__.py", "inner.py", "makers.py"} == set(own)


def test_other_strategies_of_the_package_are_not_its_code() -> None:
    load_files(["mine.py"])
    found = {str(file.relative_to(PACKAGE)) for file in Strategy.parse("one").code[5:]}
    assert {"core/fits.py", "core/shard.py", "strategies/registry.py"} <= found
    assert not any(file.startswith(("estimation", "engines")) for file in found)
    assert "strategies/ols.py" not in found
    (Path("helper.py")).write_text("from clustrategy.strategies.ols import ols as blank")
    load_files(["mine.py"])
    assert PACKAGE / "strategies/ols.py" in Strategy.parse("one").code


def test_a_module_that_was_imported_counts_with_its_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of installed distributions do."""
    os.mkdir("owner")
    Path("owner/__init__.py").write_text("")
    Path("owner/deeper.py").write_text("")
    Path("owner/mine.py").write_text(
        f"{HEAD}import helper\nimport owner.deeper\n@strategy('three')\ndef f(shard): ..."
    )
    monkeypatch.syspath_prepend(folder)
    import owner.mine  # noqa: F401

    code = Strategy.parse("three").code
    forget([("three", "numpy")])
    for name in [
        name for name in sys.modules if name.partition(".")[0] in ("owner", "helper", "packed")
    ]:
        monkeypatch.delitem(sys.modules, name)
    assert {folder / "owner/mine.py", folder / "owner/deeper.py"} <= set(code)
    assert folder / "helper.py" not in code


def test_what_is_in_no_file_has_no_digest() -> None:
    text = f"{HEAD}@strategy('typed')\ndef typed(shard): return Fits.blank(shard.sims, shard.p)"
    exec(compile(text, "<stdin>", "exec"), {"__name__": "__main__"})
    try:
        found = Strategy.parse("typed")
        with pytest.raises(ConfigError, match="'typed' is in a notebook or was typed at a prompt"):
            _ = found.digest
    finally:
        forget([("typed", "numpy")])

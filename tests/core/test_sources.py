"""Which files a module's behaviour comes from, and what in them is behaviour."""

from __future__ import annotations

from pathlib import Path

import pytest

from clustrategy.core.sources import PACKAGE, code_digest, sources

CODE = '''"""What the module is for."""

import math

LIMIT = 3
"""How many there are."""


class Thing:
    """A thing."""

    size: int = 2  # in metres

    def area(self, factor: float = 1.0) -> float:
        """Return the area."""
        # The formula is well known.
        return math.pi * factor * self.size**2


async def wait() -> str:
    """Wait."""
    return "done"


def nothing() -> None:
    """Do nothing."""
'''


def digest_of(folder: Path, code: str) -> str:
    """Return the digest of a module that is called the same, whatever it holds."""
    place = folder / f"version {len(list(folder.iterdir()))}"
    place.mkdir()
    (place / "module.py").write_text(code)
    return code_digest([place / "module.py"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""What the module is for."""', '"""Something else.\n\nIn many words.\n"""'),
        ('"""How many there are."""', '"""How many there may be."""'),
        ('"""How many there are."""\n', ""),
        ('    """A thing."""\n\n', ""),
        ('"""Return the area."""', '"""Give the area."""'),
        ('        """Return the area."""\n', ""),
        ('"""Wait."""', '"""Wait a while."""'),
        ('"""Do nothing."""', "'''Do nothing at all.'''"),
        ("  # in metres", ""),
        ("# The formula is well known.", "# The formula is in every textbook."),
        ("        # The formula is well known.\n", "\n\n"),
        ("math.pi * factor * self.size**2", "(\n            math.pi * factor * self.size ** 2)"),
        ('"done"', "'done'"),
    ],
)
def test_words_and_layout_are_no_code(tmp_path: Path, old: str, new: str) -> None:
    assert CODE.count(old) == 1
    assert digest_of(tmp_path, CODE) == digest_of(tmp_path, CODE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("LIMIT = 3", "LIMIT = 3.0"),
        ('"done"', '"gone"'),
        ("factor: float = 1.0", "factor: float = 2.0"),
        ("math.pi * factor * self.size**2", "math.pi * (factor * self.size) ** 2"),
        ("import math", "import cmath as math"),
        ("async def wait", "def wait"),
        ("class Thing:", "@final\nclass Thing:"),
        ('    """Do nothing."""', '    return """Do nothing."""'),
        ("LIMIT = 3", 'LIMIT = 3\nOTHER = """some words"""'),
    ],
)
def test_an_edit_of_code_changes_the_digest(tmp_path: Path, old: str, new: str) -> None:
    assert CODE.count(old) == 1
    assert digest_of(tmp_path, CODE) != digest_of(tmp_path, CODE.replace(old, new))


def test_the_names_and_the_order_of_files_enter(tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("x = 1\n")
    other.write_text("x = 1\n")
    assert code_digest([one]) != code_digest([other])
    assert code_digest([one, other]) != code_digest([one])
    assert code_digest([]) != code_digest([one])


def names(files: list[Path]) -> set[str]:
    """Return the paths of files in the package."""
    return {str(file.relative_to(PACKAGE)) for file in files if file.is_relative_to(PACKAGE)}


@pytest.mark.parametrize(
    "statement",
    [
        "import clustrategy.core.errors",
        "from clustrategy.core import errors",
        "from clustrategy.core.errors import DataError",
        "from clustrategy.core.errors import (\n    ConfigError,\n    DataError,\n)",
        "import os, clustrategy.core.errors as mistakes",
        "def later():\n    from clustrategy.core.errors import DataError",
        "if True:\n    import clustrategy.core.errors",
    ],
)
def test_an_import_is_followed_however_it_is_written(tmp_path: Path, statement: str) -> None:
    module = tmp_path / "module.py"
    module.write_text(statement)
    found = sources(module)
    assert module in found
    assert "core/errors.py" in names(found)


def test_imports_are_followed_all_the_way(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("from clustrategy.tables import files\nimport numpy\n")
    found = names(sources(module))
    assert found == {"tables/__init__.py", "tables/files.py", "core/errors.py"}
    assert sources(module, module) == sources(module) == sorted(sources(module))


def test_what_a_file_that_is_cut_imports_is_not_followed(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "from clustrategy.tables.files import whole\nfrom clustrategy.core import digests\n"
    )
    cut = [PACKAGE / "tables/files.py"]
    expected = {"core/__init__.py", "core/digests.py", "tables/files.py"}
    assert names(sources(module, but=cut)) == expected
    module_two = tmp_path / "module_two.py"
    module_two.write_text(
        "from clustrategy.tables.files import whole\nfrom clustrategy.core import errors\n"
    )
    assert "core/errors.py" in names(sources(module_two, but=cut)), "another file imports it too"


def test_other_packages_are_left_out(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("import numpy\nimport clustrategy\nfrom os import path\n")
    assert sources(module) == [module]


def test_modules_that_have_a_home_are_followed(tmp_path: Path) -> None:
    files = {
        "mine.py": "import helper, numpy\nfrom packed.inner import value\nimport elsewhere",
        "helper.py": "def later():\n    import packed.sub.leaf",
        "packed/__init__.py": "",
        "packed/inner.py": "from . import beside\nfrom .sub import *",
        "packed/beside.py": "from ..unrelated import nothing",
        "packed/sub/__init__.py": "",
        "packed/sub/leaf.py": "from ... import unrelated",
        "packed/unused.py": "",
        "elsewhere.py": "",
        "unrelated.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)

    def home(name: str) -> Path | None:
        return tmp_path / name if name in ("helper", "packed") else None

    found = {str(file.relative_to(tmp_path)) for file in sources(tmp_path / "mine.py", home=home)}
    assert found == files.keys() - {"packed/unused.py", "elsewhere.py"}
    assert sources(tmp_path / "mine.py") == [tmp_path / "mine.py"]


def test_files_outside_the_package_are_read_anew(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    digests = []
    for code in ("x = 1", "x = 2", "x = 1  # again"):
        module.write_text(code)
        digests.append(code_digest([module]))
    assert digests[0] == digests[2] != digests[1]


def test_what_is_not_python_is_named(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    for text in ("x = = 1", "x = '\0'", "x = " + "+".join("1" * 9999)):
        module.write_text(text)
        with pytest.raises(SyntaxError) as raised:
            sources(module)
        assert raised.value.filename == str(module)


def test_engines_have_the_code_that_computes_them() -> None:
    found = names(sources(PACKAGE / "strategies/two_stage.py"))
    assert {"strategies/two_stage.py", "estimation/two_stage.py", "core/shard.py"} <= found
    assert not any(file.startswith(("study/", "steps/", "figures/", "dgp/")) for file in found)
    assert "estimation/mixed/reml.py" not in found

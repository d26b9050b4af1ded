"""What the mutation run changes in a module, and which tests it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation import changes, judges_of, mutant, replaced


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a < b", ["a <= b"]),
        ("a is b != c", ["a is not b != c", "a is b == c"]),
        ("a and b", ["a or b", "b", "a"]),
        ("a - b ** c", ["a + b ** c", "a - b * c"]),
        ("not a", ["a"]),
        ("x = 5", ["x = 6"]),
        ("x = 2.0", ["x = 2.02"]),
        ("x = True", ["x = False"]),
        ("x = sqrt(y)", ["x = y"]),
        ("say(x, y)", ["pass"]),
        ("x[i] = y", ["pass"]),
        ("x += y", ["pass"]),
        ("x = a if c else b", ["x = a", "x = b"]),
        ("x = [y for y in z if y]", ["x = [y for y in z]"]),
        ("if x:\n    y = z", ["if True:", "if False:"]),
        ("'text'\nx: int | None = zip(y, z, strict=True)", []),
    ],
)
def test_each_change_is_made_once(tmp_path: Path, code: str, expected: list[str]) -> None:
    file = tmp_path / "module.py"
    file.write_text(f"# A comment.\n{code}\n")
    made = [mutant(change) for change in changes(file)]
    assert [one.after for one in made] == expected
    assert all(one.line == 2 for one in made)
    assert file.read_text() == f"# A comment.\n{code}\n"


def test_a_module_is_put_back(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("x = 1  # one\n")
    with replaced(file, "x = 2"):
        assert file.read_text() == "x = 2"
    assert file.read_text() == "x = 1  # one\n"


def test_a_module_is_judged_by_its_folder_and_by_what_imports_it(tmp_path: Path) -> None:
    module = tmp_path / "src/clustrategy/dgp/sizes.py"
    texts = {
        "tests/dgp/test_draw.py": "import clustrategy.dgp.sizes",
        "tests/audit/test_whole.py": "import clustrategy.dgp.sizes",
        "tests/audit/test_name.py": "from clustrategy.dgp import sizes",
        "tests/audit/test_part.py": "from clustrategy.dgp.sizes import gamma",
        "tests/audit/test_other.py": "from clustrategy.dgp import draw",
        "tests/workflow/test_run.py": "from clustrategy.dgp import sizes",
    }
    for name, text in texts.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    names = ["name", "part", "whole"]
    assert judges_of(module, tmp_path) == [
        str(tmp_path / "tests/dgp"),
        str(module),
        *(str(tmp_path / f"tests/audit/test_{name}.py") for name in names),
    ]

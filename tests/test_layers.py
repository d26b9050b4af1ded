"""What the import contracts in pyproject.toml rest on: no cycle of modules, no hidden import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

import clustrategy

PACKAGE = Path(clustrategy.__file__).parent
HIDDEN = {"__import__", "import_module", "pkgutil", "runpy"}

BY_NAME = "figures/registry.py"
"""It imports a figure by its name, from its own folder."""


def test_no_module_imports_itself_by_way_of_others() -> None:
    """The contract compares folders and files side by side, but not a folder with its own files."""
    graph = grimp.build_graph("clustrategy", cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def names(tree: ast.Module) -> Iterator[str]:
    """All names that a module imports or uses, and their parts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield from node.name.split(".")
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module or "").split(".")


def test_imports_are_statements() -> None:
    """Otherwise the contracts would not see them.

    But for figures, which are imported by name: none of them imports the registry in turn.
    """
    hidden = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in PACKAGE.rglob("*.py")
        for name in names(ast.parse(path.read_text(encoding="utf-8")))
        if name in HIDDEN
    }
    assert hidden == {f"{BY_NAME}: import_module"}
    graph = grimp.build_graph("clustrategy", cache_dir=None)
    importers = graph.find_downstream_modules("clustrategy.figures.registry")
    assert not {name for name in importers if name.startswith("clustrategy.figures")}

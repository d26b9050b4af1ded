"""Which source files of the package a module's behaviour comes from."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def sources(*files: Path) -> list[Path]:
    """The files and all of the package that they import, directly or not, at any depth of nesting.

    Parameters
    ----------
    files : modules of the package, or modules that import from it.
    """
    found: set[Path] = set()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _imported(file)
    return sorted(found)


def _imported(file: Path) -> list[Path]:
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [path for name in names if (path := _file(name)) is not None]


def _file(module: str) -> Path | None:
    top, *rest = module.split(".")
    if top != "clustrategy" or not rest:
        return None
    path = PACKAGE.joinpath(*rest)
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in candidates if file.exists()), None)

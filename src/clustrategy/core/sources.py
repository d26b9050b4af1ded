"""Which source files of the package a module's behaviour comes from, and what they say."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def sources(*files: Path, but: Collection[Path] = ()) -> list[Path]:
    """List files and all of the package that they import, directly or not, wherever they do.

    Parameters
    ----------
    *files : Path
        Modules of the package, or modules that import from it.
    but : collection of Path
        Modules that are left out, with what they alone import.

    Returns
    -------
    list of Path
        In alphabetical order.
    """
    found: set[Path] = set()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file not in found and file not in but:
            found.add(file)
            waiting += _read(file)[1]
    return sorted(found)


def code_digest(files: Iterable[Path]) -> str:
    """Digest what source files do: their code without comments, docstrings and layout.

    Parameters
    ----------
    files : iterable of Path
        Python files, such as `sources` lists.

    Returns
    -------
    str
        A SHA-256 in hexadecimal digits. An edit of words alone leaves it as it is.
    """
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.name}:{_read(file)[0]}\n".encode())
    return whole.hexdigest()


@cache
def _read(file: Path) -> tuple[str, tuple[Path, ...]]:
    """Give the digest of a file's code and the files of the package that it imports."""
    tree = ast.parse(file.read_bytes())
    imported = tuple(path for name in _imports(tree) if (path := _file(name)) is not None)
    code = ast.unparse(_Wordless().visit(tree))
    return hashlib.sha256(code.encode()).hexdigest(), imported


class _Wordless(ast.NodeTransformer):
    """Takes text that is a statement, such as a docstring, out of a module."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        value = node.value
        return None if isinstance(value, ast.Constant) and isinstance(value.value, str) else node


def _imports(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _file(module: str) -> Path | None:
    top, *rest = module.split(".")
    if top != "clustrategy" or not rest:
        return None
    path = PACKAGE.joinpath(*rest)
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in candidates if file.exists()), None)

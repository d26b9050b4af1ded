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
        Modules whose own imports are not followed.

    Returns
    -------
    list of Path
        In alphabetical order.
    """
    found: set[Path] = set()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += [] if file in but else _read(file)[1]
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
    module = _Module()
    code = ast.unparse(module.visit(ast.parse(file.read_bytes())))
    imported = tuple(path for name in module.imports if (path := _file(name)) is not None)
    return hashlib.sha256(code.encode()).hexdigest(), imported


class _Module(ast.NodeTransformer):
    """Takes out text that is a statement, such as a docstring, and notes what is imported."""

    def __init__(self) -> None:
        self.imports: list[str] = []

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        value = node.value
        return None if isinstance(value, ast.Constant) and isinstance(value.value, str) else node

    def visit_Import(self, node: ast.Import) -> ast.Import:
        self.imports += [alias.name for alias in node.names]
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.module:
            within = (f"{node.module}.{alias.name}" for alias in node.names)
            self.imports += [node.module, *within]
        return node


def _file(module: str) -> Path | None:
    top, *rest = module.split(".")
    if top != "clustrategy" or not rest:
        return None
    path = PACKAGE.joinpath(*rest)
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in candidates if file.exists()), None)

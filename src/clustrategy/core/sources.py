"""Which source files a module's behaviour comes from, and what they say."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1]

Home = Callable[[str], Path | None]
"""Gives where the code of a top-level module is, without `.py`; None if it is to be left out."""


def nowhere(name: str) -> None:
    """Leave out every module but those of the package."""


def sources(*files: Path, but: Collection[Path] = (), home: Home = nowhere) -> list[Path]:
    """List files and all of the package that they import, directly or not, wherever they do.

    Parameters
    ----------
    *files : Path
        Modules of the package, or modules that import from it.
    but : collection of Path
        Modules whose own imports are not followed.
    home : callable
        Says of which other modules the imports are followed, too, and where they are.

    Returns
    -------
    list of Path
        In alphabetical order.

    Raises
    ------
    SyntaxError
        If a file is not valid Python; it names the file.
    """
    found: set[Path] = set()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            imports = () if file in but else _read(file).imports
            waiting += [one for name in imports for one in _files(name, file, home)]
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


class _Import(NamedTuple):
    """The name of a module, and how many folders up from the file it counts; 0 if from the top."""

    level: int
    module: str


class _Code(NamedTuple):
    """The digest of a file's code, and what it imports."""

    digest: str
    imports: tuple[_Import, ...]


def _read(file: Path) -> _Code:
    """Read a file; those of the package do not change while it runs."""
    return _read_once(file) if file.is_relative_to(PACKAGE) else _parse(file)


def _parse(file: Path) -> _Code:
    module = _Module()
    try:
        code = ast.unparse(module.visit(ast.parse(file.read_bytes(), str(file))))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, SyntaxError) and error.filename:
            raise
        where = (str(file), None, None, None)
        raise SyntaxError(str(error) or "too deeply nested", where) from None
    return _Code(hashlib.sha256(code.encode()).hexdigest(), tuple(module.imports))


_read_once = cache(_parse)


class _Module(ast.NodeTransformer):
    """Takes out text that is a statement, such as a docstring, and notes what is imported."""

    def __init__(self) -> None:
        self.imports: list[_Import] = []

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        value = node.value
        return None if isinstance(value, ast.Constant) and isinstance(value.value, str) else node

    def visit_Import(self, node: ast.Import) -> ast.Import:
        self.imports += [_Import(0, alias.name) for alias in node.names]
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        module = [node.module] if node.module else []
        within = [".".join([*module, alias.name]) for alias in node.names]
        self.imports += [_Import(node.level, name) for name in [*module, *within]]
        return node


def _files(imported: _Import, file: Path, home: Home) -> Iterator[Path]:
    """Give the files that an import in a file runs, as far as they are to be followed."""
    top, *rest = imported.module.split(".")
    if imported.level:
        paths = [Path(*file.parts[: -imported.level], top, *rest)]
    elif top == "clustrategy":
        paths = [PACKAGE.joinpath(*rest)] if rest else []
    else:
        base = home(top)
        paths = [] if base is None else [base.joinpath(*rest[:n]) for n in range(len(rest) + 1)]
    for path in paths:
        candidates = (path.with_suffix(".py"), path / "__init__.py")
        yield from [one for one in candidates if one.is_file()][:1]

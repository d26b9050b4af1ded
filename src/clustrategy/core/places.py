"""How messages name a file, and a line in it."""

from __future__ import annotations

from pathlib import Path


def short_path(path: str | Path) -> str:
    """Name a file as seen from the current folder, if it is in there."""
    here = Path.cwd()
    path = Path(path)
    name = str(path.relative_to(here) if path.is_relative_to(here) else path)
    return name if name.isprintable() else repr(name)


def place(path: str | Path, line: int | None) -> str:
    """Name a line of a file: `my_strategies.py, line 7`."""
    return f"{short_path(path)}, line {line}" if line else short_path(path)

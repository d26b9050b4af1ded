"""Strategies from files of the user's own, which a config names and which are run as scripts are.

Modules beside such a file can be imported in it, and are found before installed ones. All are
compiled whenever they are loaded, and leave no bytecode behind.
"""

from __future__ import annotations

import hashlib
import re
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from importlib.machinery import FileFinder, ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType

from clustrategy.core.errors import ClustrategyError, ConfigError, in_words, nearest
from clustrategy.core.places import place
from clustrategy.core.sources import PACKAGE, sources
from clustrategy.core.validation import shown
from clustrategy.strategies.registry import REGISTERED, Key, forget, registered_meanwhile
from clustrategy.strategies.signature import source_file

SHARED = PACKAGE / "strategies/__init__.py"
"""What own files import the names from that a strategy needs, and not the other strategies."""


def load_files(files: Sequence[str]) -> None:
    """Run files, so that the strategies of one's own are those that they register.

    Those of files loaded before are forgotten. Files that have not changed since, nor a module
    beside them that they import, are not run again.

    Parameters
    ----------
    files : sequence of str
        Paths, from the current folder if they are not absolute.

    Raises
    ------
    ConfigError
        If a file is not there, is not valid Python, fails, registers nothing, or registers what
        there is already.
    """
    global _loaded
    paths = [_path(file) for file in files]
    folders = _Folders(list(dict.fromkeys(path.parent for path in paths)))
    own = _own(paths, folders)
    content = _content(own)
    if (_loaded.paths, _loaded.content) == (paths, content):
        return
    _loaded = _loaded.unload(own)
    if paths:
        found = _Loaded(paths, content, [], [_Beside(folders)])
        sys.meta_path[:0] = found.finders
        try:
            for path in paths:
                found.keys.extend(_run(path, folders, own))
        except BaseException:
            found.unload(own)
            raise
        _loaded = found


@dataclass(frozen=True)
class _Folders:
    """The folders of the files, in which modules are looked for in turn."""

    folders: Sequence[Path]

    def __call__(self, name: str) -> Path | None:
        """Give where the code of a top-level module is, as `sources` takes it."""
        if name in sys.stdlib_module_names or name == PACKAGE.name:
            return None
        bases = [folder / name for folder in self.folders]
        return next((b for b in bases if b.with_suffix(".py").is_file() or b.is_dir()), None)


class _Source(SourceFileLoader):
    """Compiles a file each time: bytecode may be of a version some milliseconds older."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


@dataclass(frozen=True)
class _Beside:
    """A finder of the modules beside the files."""

    folders: _Folders

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> ModuleSpec | None:
        home = self.folders(name.partition(".")[0])
        if home is None:
            return None
        for folder in [str(home.parent)] if path is None else path:
            spec = FileFinder(folder, (_Source, [".py"])).find_spec(name)
            # A folder without __init__.py is a module only where there is no other of its name.
            if spec and (spec.loader or PathFinder.find_spec(name, path) is None):
                return spec
        return None


@dataclass(frozen=True)
class _Loaded:
    """What was loaded last."""

    paths: Sequence[Path]
    content: str
    keys: list[Key]
    finders: Sequence[_Beside]

    def unload(self, files: Sequence[Path]) -> _Loaded:
        """Forget it all, and whatever else comes from some files; return that there is nothing."""
        forget(self.keys)
        for finder in self.finders:
            if finder in sys.meta_path:
                sys.meta_path.remove(finder)
        for name, module in list(sys.modules.items()):
            if name != "__main__" and (
                isinstance(getattr(module, "__loader__", None), _Source)
                or Path(getattr(module, "__file__", None) or "") in files
            ):
                del sys.modules[name]
        forget(
            (name, engine)
            for name, engines in list(REGISTERED.items())
            for engine, entry in list(engines.items())
            if source_file(entry.function) in files
        )
        return _NOTHING


_NOTHING = _loaded = _Loaded([], "", [], [])


def _path(file: str) -> Path:
    path = Path(file)
    try:
        known = path.is_file()
        beside = [] if known else [one.name for one in path.parent.glob("*.py") if one.is_file()]
    except OSError as error:
        raise ConfigError(f"{shown(file)} cannot be read ({error.strerror})") from None
    if not known:
        raise ConfigError(f"there is no file {shown(file)}{nearest(path.name, beside)}")
    if path.suffix != ".py":
        raise ConfigError(f"the name of a Python file ends in .py, found {shown(file)}")
    return path.resolve()


def _own(paths: Sequence[Path], folders: _Folders) -> list[Path]:
    """List the files and the modules beside them that they import."""
    try:
        found = sources(*paths, but=[SHARED], home=folders)
    except SyntaxError as error:
        raise ConfigError(_no_python(error)) from None
    except OSError as error:
        raise ConfigError(f"{error.filename} cannot be read ({error.strerror})") from None
    return [file for file in found if not file.is_relative_to(PACKAGE)]


def _content(files: Sequence[Path]) -> str:
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file}:{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest() if files else ""


def _run(path: Path, folders: _Folders, own: Sequence[Path]) -> list[Key]:
    """Run a file, unless another has imported it; return what it has registered."""
    if any(_is_of(module, path) for module in list(sys.modules.values())):
        return []
    name = re.sub(r"\W", "_", path.stem)
    while name in sys.modules or name in sys.stdlib_module_names:
        name += "_"
    loader = _Source(name, str(path))
    spec = spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        with registered_meanwhile() as keys, redirect_stdout(sys.stderr):
            loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ConfigError(_failure(error, path, own)) from None
    if not keys:
        raise ConfigError(
            f'{place(path, None)}: registers no strategy; put @strategy("its name") of '
            "clustrategy.strategies before a function"
        )
    for one, engine in keys:
        REGISTERED[one][engine] = replace(REGISTERED[one][engine], own_file=path, home=folders)
    return keys


def _is_of(module: object, path: Path) -> bool:
    loader = getattr(module, "__loader__", None)
    return isinstance(loader, _Source) and loader.path == str(path)


def _failure(error: BaseException, path: Path, own: Sequence[Path]) -> str:
    """Say what went wrong, and where: the last line that was run in one of the user's files."""
    if isinstance(error, SyntaxError) and Path(error.filename or "").is_file():
        return _no_python(error)
    files = {str(path), *map(str, own)}
    frames = traceback.extract_tb(error.__traceback__)
    lines = [place(one.filename, one.lineno) for one in frames if one.filename in files]
    said = str(error) if isinstance(error, ClustrategyError) else in_words(error)
    return f"{lines[-1] if lines else place(path, None)}: {said}"


def _no_python(error: SyntaxError) -> str:
    return f"{place(error.filename or '', error.lineno)} is not valid Python: {error.msg}"

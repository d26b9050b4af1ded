"""Change the code in one place at a time and see whether the tests notice.

    python -m tests.mutation --seed 1 --sample 200 --paths src/clustrategy/{audit,verification,dgp}

Each change, a mutant, is made in a copy of the checkout. There the tests of the same folder are
run, then those that import the module or its folder. A mutant that they let pass has survived:
either it changes nothing, or a test is missing. Text, annotations and decorators are left alone.
"""

from __future__ import annotations

import argparse
import ast
import csv
import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from importlib.util import cache_from_source
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import pytest

OPERATORS: dict[type, type] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
LEFT_ALONE = {"annotation", "returns", "decorator_list", "bases"}
HEAVY = ("numpy", "pandas", "scipy.stats", "pyarrow.parquet", "hypothesis", "statsmodels.api")


Way = list[tuple[str, int | None]]
"""From a module to one of its nodes: the fields, and the places in those that are lists."""


class Change(NamedTuple):
    """A node of a module and what takes its place."""

    file: Path
    way: Way
    new: ast.AST


class Mutant(NamedTuple):
    """The line of a change as it was and as it is, and the whole module."""

    line: int
    before: str
    after: str
    code: str


def changes(file: Path) -> Iterator[Change]:
    """All that can be changed in a module."""
    tree = ast.parse(file.read_bytes())
    for way in _ways(tree, []):
        for new in _replacements(_at(tree, way)):
            yield Change(file, way, new)


def mutant(change: Change) -> Mutant:
    """Change a module; its comments are lost."""
    tree = ast.parse(change.file.read_bytes())
    before = ast.unparse(tree)
    line = _at(tree, change.way).lineno
    *above, (field, place) = change.way
    parent = _at(tree, above)
    if place is None:
        setattr(parent, field, change.new)
    else:
        getattr(parent, field)[place] = change.new
    after = ast.unparse(ast.fix_missing_locations(tree))
    lines = zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
    old, new = next((pair for pair in lines if pair[0] != pair[1]), ("", ""))
    return Mutant(line, old.strip(), new.strip(), after)


def _at(node: Any, way: Way) -> Any:
    for field, place in way:
        node = getattr(node, field) if place is None else getattr(node, field)[place]
    return node


def _ways(node: ast.AST, above: Way) -> Iterator[Way]:
    """The ways to all nodes that stand on a line, but for those that are left alone."""
    for field, value in ast.iter_fields(node):
        if field in LEFT_ALONE or (isinstance(node, ast.keyword) and node.arg == "strict"):
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for place, child in children:
            if isinstance(child, ast.AST):
                way: Way = [*above, (field, place)]
                if hasattr(child, "lineno"):
                    yield way
                yield from _ways(child, way)


def _replacements(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left=left, ops=[*ops], comparators=others):
            for place, op in enumerate(ops):
                changed = [*ops[:place], OPERATORS[type(op)](), *ops[place + 1 :]]
                yield ast.Compare(left, changed, others)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(OPERATORS[type(op)](), values)
            for place in range(len(values)):
                rest = [*values[:place], *values[place + 1 :]]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            yield ast.BinOp(left, OPERATORS[type(op)](), right)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(value * 1.01 if value else 0.01)
        case ast.Call(args=[only], keywords=[]) if not isinstance(only, ast.Starred):
            yield only
        case ast.If(body=body, orelse=orelse):
            yield from (ast.If(ast.Constant(to), body, orelse) for to in (True, False))
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign() | ast.Continue():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield ast.Pass()
    for place, loop in enumerate(getattr(node, "generators", [])):
        for condition in range(len(loop.ifs)):
            without: Any = deepcopy(node)
            del without.generators[place].ifs[condition]
            yield without


def judges_of(file: Path, root: Path) -> list[str]:
    """The tests of a module's folder, then others that import the module."""
    folder = file.relative_to(root / "src/clustrategy").parent
    own = root / "tests" / folder
    module = ".".join(file.relative_to(root / "src").with_suffix("").parts)
    others = [
        test
        for test in sorted((root / "tests").rglob("test_*.py"))
        if own not in test.parents and "workflow" not in test.parts and module in _imports(test)
    ]
    return [str(path) for path in ([own] if own.is_dir() else []) + [file, *others]]


def _imports(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    plain = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    within = {f"{node.module}.{name.name}" for node in froms for name in node.names}
    return plain | within | {str(node.module) for node in froms}


def outcome(root: Path, tests: list[str], seconds: int) -> str:
    """Run tests in a fork of this process, up to the first that fails."""
    child = os.fork()
    if not child:
        signal.alarm(seconds)  # ends the fork
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(silence, stream)
        os.chdir(root)
        sys.path[:0] = [str(root), str(root / "src")]
        os.environ["PYTHONPATH"] = str(root / "src")
        for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
            del sys.modules[name]
        os._exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "out of time" if os.WTERMSIG(status) == signal.SIGALRM else "killed"
    return "killed" if os.WEXITSTATUS(status) else "survived"


def copy_checkout(root: Path) -> None:
    """Copy what Git knows of this checkout, and what it has not been told to ignore."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listed, text=True).split("\0"):
        if name and Path(name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, root / name)


@contextmanager
def replaced(file: Path, code: str) -> Iterator[None]:
    """Put other code into a module for a while."""
    compiled, known = Path(cache_from_source(str(file))), file.read_text(encoding="utf-8")
    for text in (code, known):
        # Python may take what it compiled within the same second for up to date.
        compiled.unlink(missing_ok=True)
        file.write_text(text, encoding="utf-8")
        if text is code:
            yield


def main() -> None:
    """Sample mutants, run the tests on each and write what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--paths", nargs="+", type=Path, required=True, help="folders or modules")
    parser.add_argument("--sample", type=int, default=100, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="which mutants")
    parser.add_argument("--seconds", type=int, default=300, help="what the tests of one may take")
    parser.add_argument("--csv", type=Path, default=Path("results/mutants.csv"))
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        copy_checkout(root)
        files = [root / file for path in wanted.paths for file in [*path.rglob("*.py")] or [path]]
        every = [change for file in sorted(files) for change in changes(file)]
        chosen = random.Random(wanted.seed).sample(every, min(wanted.sample, len(every)))
        print(f"{len(chosen)} of {len(every)} mutants", flush=True)
        sys.dont_write_bytecode = False
        for module in HEAVY:
            importlib.import_module(module)
        tests = {file: judges_of(file, root) for file in {change.file for change in chosen}}
        all_tests = list(dict.fromkeys(name for names in tests.values() for name in names))
        if outcome(root, all_tests, 20 * wanted.seconds) != "survived":
            sys.exit("the tests do not pass as it is")
        wanted.csv.parent.mkdir(parents=True, exist_ok=True)
        with open(wanted.csv, "w", newline="", encoding="utf-8") as out:
            rows = csv.writer(out)
            rows.writerow(["file", "line", "before", "after", "outcome"])
            for change in chosen:
                made = mutant(change)
                with replaced(change.file, made.code):
                    what = outcome(root, tests[change.file], wanted.seconds)
                where = change.file.relative_to(root)
                rows.writerow([where, made.line, made.before, made.after, what])
                out.flush()
                if what == "survived":
                    print(f"{where}:{made.line}\n    {made.before}\n    {made.after}", flush=True)


if __name__ == "__main__":
    main()

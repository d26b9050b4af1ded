"""Shared by all tests: a copy of the workflow to run, and what a run said."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock
from hypothesis import settings

from tests.absences import Absences

# Before NumPy is imported: on small matrices more threads only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

REPO = Path(__file__).parents[1]
WORKFLOW = (
    "Snakefile",
    "workflow",
    "scripts",
    "profiles",
    "config",
    "envs",
    "examples",
    "CITATION.cff",
)

# Cores are shared out by pytest-xdist and by Snakemake. Read when numpy is imported, later.
for library in ("OMP", "OPENBLAS", "MKL", "VECLIB"):
    os.environ[f"{library}_NUM_THREADS"] = "1"
ENVIRONMENT = os.environ | {"COLUMNS": "200", "NO_PROXY": "127.0.0.1"}

# Not tests, and not to be imported for doctests: one needs a package that the suite does not, one
# registers a strategy.
collect_ignore_glob = ["golden/make_*.py", "study/own_strategy.py"]

settings.register_profile("suite", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("suite")

SMALL = {
    "study": "small",
    "seed": 1,
    "grid": {"clusters": [6, 8], "obs_per_cluster": [6], "between_cluster_sigma": [0.5, 1]},
    "sims": 4,
    "sims_per_shard": 4,
    "audit": None,
}
ESTIMATES = "results/small/estimates.parquet"
PERFORMANCE = "results/small/performance.parquet"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that makes a skipped test a failure."""
    parser.addoption(
        "--allowed-absences",
        metavar="FILE",
        type=Path,
        help="fail where a test is skipped, unless its reason contains a line of FILE",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Watch for skipped tests, where that is wanted."""
    file = config.getoption("--allowed-absences")
    if file is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Absences.read(file))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first, so that no worker of pytest-xdist waits for it in the end."""

    def haste(item: pytest.Item) -> int:
        if item.get_closest_marker("slow") is not None:
            return 0
        return 2 if {"checkout", "finished"}.isdisjoint(getattr(item, "fixturenames", ())) else 1

    items.sort(key=haste)


@dataclass
class Run:
    """A finished run of Snakemake: exit code and all that it printed."""

    code: int
    output: str


@dataclass
class Checkout:
    """A copy of the workflow in a folder of its own, as a user has it after `git clone`."""

    folder: Path

    def command(self, *arguments: str) -> list[str]:
        """The command line of a run."""
        return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]

    def run(
        self,
        *arguments: str,
        config: Mapping[str, Any] | None = None,
        expect: int = 0,
        **popen: Any,
    ) -> Run:
        """Run Snakemake here, with `config` over the default one, and check its exit code.

        Parameters
        ----------
        arguments : str
            Of the command line.
        config : Mapping, optional
            What is written to mine.yaml and laid over the default config.
        expect : int
            The exit code.
        popen : object
            What `subprocess.run` takes. With any of it the run is a process of its own; without,
            a fork of one that has Snakemake imported already (see `warm`).
        """
        if config is not None:
            self.write_config(config)
            arguments = (*arguments, "--configfile", "mine.yaml")
        command = self.command(*arguments)
        done = _cold(command, self.folder, popen) if popen else started(command[3:], self.folder)()
        assert done.code == expect, done.output
        return done

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write mine.yaml."""
        (self.folder / "mine.yaml").write_text(yaml.safe_dump(dict(config)))

    def result(self, name: str, study: str = "small") -> Path:
        """A file of the results."""
        return self.folder / "results" / study / name


def _cold(command: list[str], folder: Path, popen: Mapping[str, Any]) -> Run:
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        **{"env": ENVIRONMENT, **popen},
    )
    return Run(done.returncode, done.stdout)


@cache
def _server() -> subprocess.Popen[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.warm"],
        cwd=REPO,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(server.communicate)
    return server


def started(arguments: list[str], folder: Path) -> Callable[[], Run]:
    """Start a run in a fork of the process that has Snakemake imported.

    Returns
    -------
    function
        Waits for the run's end; one has to come before the next is started.
    """
    server, output = _server(), folder.with_name(f"{folder.name}.output")
    assert server.stdin is not None
    line = {"folder": str(folder), "arguments": arguments, "output": str(output)}
    server.stdin.write(json.dumps(line) + "\n")
    server.stdin.flush()

    def wait() -> Run:
        assert server.stdout is not None
        return Run(int(server.stdout.readline()), output.read_text())

    return wait


def copy_workflow(folder: Path) -> Checkout:
    """Make a new copy of the workflow."""
    folder.mkdir()
    for part in WORKFLOW:
        source = REPO / part
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, folder / part)
    return Checkout(folder)


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[..., Checkout]:
    """A function that makes a new copy of the workflow, in a folder with a space in its path."""

    def make(name: str = "a study") -> Checkout:
        return copy_workflow(tmp_path / name)

    return make


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The small study up to its performance, by one core; not to be changed, but see `finished`.

    It is run once, for all workers of pytest-xdist.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    here = Checkout(folder / "a small study")
    with FileLock(folder / "small.lock"):
        if not (folder / "small.done").exists():
            shutil.rmtree(here.folder, ignore_errors=True)
            copy_workflow(here.folder).run(PERFORMANCE, "--cores", "1", config=SMALL)
            (folder / "small.done").touch()
    return here


@pytest.fixture
def finished(small: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the small study, its performance made, in a folder of its own."""
    return Checkout(shutil.copytree(small.folder, tmp_path / "finished", symlinks=True))


@pytest.fixture
def needs_r() -> None:
    """Skip where there is no R with lme4 and lmerTest."""
    from clustrategy.core.errors import EngineError
    from clustrategy.engines.lme4 import check

    try:
        check()
    except EngineError as error:
        pytest.skip(str(error))

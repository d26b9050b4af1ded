"""The wheel alone: installed into an empty environment from the lock, used from an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from filelock import FileLock

import clustrategy
from tests.conftest import REPO, Run
from tests.material import sleepstudy
from tests.own_strategies import FILE, between

pytestmark = pytest.mark.slow

SMALLEST = {
    "study": "smallest",
    "grid": {"clusters": [10], "obs_per_cluster": [5], "between_cluster_sigma": [0.1]},
    "sims": 5,
    "audit": None,
    "strategies_from": FILE,
    "strategies": ["cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept", "between"],
}


@dataclass
class Installed:
    """An environment that holds the wheel and the lock, and an empty folder to work in."""

    environment: Path
    folder: Path

    def run(self, *arguments: str, expect: int = 0) -> Run:
        """Run the command as from a shell that knows neither the checkout nor the environment."""
        done = subprocess.run(
            [str(self.environment / "bin" / "clustrategy"), *arguments],
            cwd=self.folder,
            env={"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert done.returncode == expect, done.stdout
        assert str(REPO) not in done.stdout
        return Run(done.returncode, done.stdout)

    def study(self, config: Mapping[str, Any], *arguments: str) -> str:
        """Run a study and return what it said."""
        (self.folder / "mine.yaml").write_text(yaml.safe_dump(dict(config)))
        return self.run("study", "mine.yaml", "--cores", "2", *arguments).output


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of the lock and the wheel, in a folder with a space in its path.

    It is made once, for all workers of pytest-xdist.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "a wheel"
    with FileLock(base / "wheel.lock"):
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            install(folder)
            (folder / "done").touch()
    return folder / "environment"


def install(folder: Path) -> None:
    """Build the wheel, and put it into a new environment with what is locked."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*build, str(folder)], cwd=REPO, check=True, capture_output=True, timeout=60)
    (wheel,) = folder.glob("*.whl")
    where = folder / "environment"

    def uv(*arguments: str) -> None:
        # Links to uv's cache; what is imported is compiled then, the rest never.
        command = ["sh", "envs/python.sh", "uv", "--quiet", *arguments]
        subprocess.run(command, cwd=REPO, check=True, timeout=600)

    uv("venv", "--python", sys.executable, str(where))
    into = ("pip", "install", "--python", str(where / "bin" / "python"))
    uv(*into, "--require-hashes", "--requirements", "envs/requirements.txt")
    uv(*into, "--no-deps", str(wheel))


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Installed:
    """The environment, with a new empty folder."""
    return Installed(environment, tmp_path)


def test_the_version(installed: Installed) -> None:
    said = installed.run("--version").output
    assert said == f"clustrategy, version {clustrategy.__version__}\n"


def test_a_study_from_an_empty_folder(installed: Installed) -> None:
    (installed.folder / FILE).write_text(between())
    installed.study(SMALLEST, "--", "--quiet")
    results = installed.folder / "results/smallest"
    estimates = pd.read_parquet(results / "estimates.parquet")
    assert len(estimates) == 5 * 5 * 4  # Sims, strategies, and terms of each.
    assert estimates.loc[estimates["strategy"] == "between", "std_error"].gt(0).all()
    for form in ("png", "pdf", "svg"):
        assert (results / f"figures/verdict_map.{form}").stat().st_size > 1000
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "clustrategy study mine.yaml --cores 2 -- --quiet" in page
    visible = {path.name for path in installed.folder.iterdir() if path.name[0] != "."}
    assert visible == {"mine.yaml", FILE, "results"}
    assert "Nothing to be done" in installed.study(SMALLEST)
    sim = "clusters=10/obs_per_cluster=5/between_cluster_sigma=0.1/sim=0"
    again = f"-- results/smallest/remade/{sim}/dataset.csv"
    assert f"clustrategy study mine.yaml --cores 1 {again}" in page


def test_the_config_that_init_writes_is_planned(installed: Installed) -> None:
    said = installed.run("init", "my study").output
    assert said.endswith("clustrategy study 'my study/config.yaml'\n")
    dry = installed.run("study", "my study/config.yaml", "--", "--dry-run", "--quiet").output
    assert "2,250 datasets of 45 cells to be made" in dry
    assert not (installed.folder / "results").exists()


def test_a_table_is_analysed(installed: Installed) -> None:
    sleepstudy().to_csv(installed.folder / "sleep.csv", index=False)
    said = installed.run("analyze", "sleep.csv", "Reaction ~ Days", "--cluster", "Subject").output
    assert said.startswith("Reaction ~ Days, by Subject\n\nGo by ")
    assert "180 rows in 18 clusters" in said and "10.47" in said

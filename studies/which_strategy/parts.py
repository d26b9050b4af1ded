"""The parts of the study, each of which is two: of the strategies that resample, and of all others.

A part lays its config over that of the core; the strategies that resample or select take fewer
sims, and so are a study of their own on the same datasets.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

REPO = Path(__file__).parents[2]
RESULTS, DOCS = REPO / "results", REPO / "docs"

CORE, IMBALANCE, VIOLATIONS, LITTLE = "core", "imbalance", "violations", "little-variation"
RESAMPLED = "resampled"
CONFIG, OVER_IT = Path("config/which-strategy.yaml"), Path("config/which-strategy")


class Study(NamedTuple):
    """A study through Snakemake.

    Attributes
    ----------
    name, part : str
        Its own, and that of the part of which it is one of two.
    configs : tuple of Path
        Laid over each other.
    """

    name: str
    part: str
    configs: tuple[Path, ...]

    @property
    def verdicts(self) -> Path:
        """Its verdicts."""
        return RESULTS / self.name / "verdicts.parquet"


def studies() -> list[Study]:
    """List all studies, two of each part."""
    found = []
    for part in (CORE, IMBALANCE, VIOLATIONS, LITTLE):
        name = CONFIG.stem if part == CORE else f"{CONFIG.stem}-{part}"
        configs = (CONFIG,) if part == CORE else (CONFIG, OVER_IT / f"{part}.yaml")
        found.append(Study(name, part, configs))
        more = OVER_IT / f"{RESAMPLED}.yaml"
        found.append(Study(f"{name}-{RESAMPLED}", part, (*configs, more)))
    return found


def run(cores: str) -> None:
    """Run all studies as far as their verdicts, one after the other."""
    for study in studies():
        command = [sys.executable, "-m", "snakemake", "--cores", cores]
        command += ["--configfile", *map(str, study.configs), "--config", f"study={study.name}"]
        target = str(study.verdicts.relative_to(REPO))
        subprocess.run([*command, "--", target], cwd=REPO, check=True)

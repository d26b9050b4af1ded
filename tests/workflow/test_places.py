"""The workflow from wherever it is used: another folder, a path of odd characters, a module."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import yaml

from tests.conftest import ESTIMATES, REPO, SMALL, Checkout, copy_workflow
from tests.workflow.test_determinism import planned

OWN = {**SMALL, "study": "own", "strategies": ["cluster_robust", "mixed_intercept"]}


def snakemake(folder: Path, *arguments: str) -> str:
    """Run Snakemake in a folder and return what it said."""
    return Checkout(folder).run(*arguments).output


def test_a_path_with_spaces_braces_and_quotes(small: Checkout, tmp_path: Path) -> None:
    here = copy_workflow(tmp_path / "a {study} of 'mine' \"here\"")
    targets = [ESTIMATES, "results/small/worked_example/worked_example.md"]
    here.run(*targets, config=SMALL)
    found = here.result("estimates.parquet").read_bytes()
    assert found == small.result("estimates.parquet").read_bytes()


def test_from_another_folder_with_the_results_there(
    checkout: Callable[..., Checkout], small: Checkout, tmp_path: Path
) -> None:
    there = checkout("the checkout")
    shutil.copy2(small.folder / "mine.yaml", tmp_path)
    snakefile = str(there.folder / "Snakefile")
    snakemake(tmp_path, "--snakefile", snakefile, "--configfile", "mine.yaml", "--", ESTIMATES)
    found = (tmp_path / ESTIMATES).read_bytes()
    assert found == small.result("estimates.parquet").read_bytes()
    assert not (there.folder / "results").exists()


def test_as_a_module_with_its_own_config_alone(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(yaml.safe_dump({"simulation": OWN}))
    (tmp_path / "Snakefile").write_text(
        f"""\
configfile: "own.yaml"


module simulation:
    snakefile:
        {str(REPO / "Snakefile")!r}
    config:
        config["simulation"]


use rule * from simulation as simulation_*


rule mine:
    default_target: True
    input:
        rules.simulation_performance.output,
        "results/own/figures/convergence.png",
    output:
        "mine.txt",
    shell:
        "cp {{input[0]}} {{output}}"
"""
    )
    output = snakemake(tmp_path)
    assert "not present" not in output
    table = pd.read_parquet(tmp_path / "results/own/performance.parquet")
    assert set(table["strategy"]) == {"cluster_robust", "mixed_intercept"}
    assert (tmp_path / "mine.txt").exists()
    assert "Nothing to be done" in snakemake(tmp_path)
    # What changed is made, and no more of it.
    own = {**OWN, "strategies": [*OWN["strategies"], "two_stage"]}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump({"simulation": own}))
    dry = snakemake(tmp_path, "--dry-run")
    assert "simulation_simulate_fit_score" in dry and "simulation_aggregate" in dry
    assert planned is not None

"""A study with a strategy of the user's own, from a file that the config names."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from clustrategy.dgp import simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.strategies.own_files import load_files
from clustrategy.study.study import Study
from tests.conftest import SMALL, Checkout
from tests.own_strategies import FILE, between, blank

STUDY = {**SMALL, "strategies_from": FILE, "strategies": ["between", "ols"]}
SIM = "results/small/remade/clusters=6/obs_per_cluster=6/between_cluster_sigma=0.5/sim=1/fits.csv"
TARGETS = (
    "results/small/verdicts.csv",
    "results/small/worked_example/coefficients.csv",
    SIM,
)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    load_files([])


def fits_made(here: Checkout) -> Counter[str]:
    """Count the fits that the jobs of the last run made, by status."""
    counts = Counter[str]()
    for receipt in here.result("packs").glob("*.json"):
        counts.update(json.loads(receipt.read_text()).get("statuses", {}))
    return counts


def test_a_study_with_the_readmes_strategy(
    finished: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, file = finished, finished.folder / FILE
    file.write_text(between())
    here.run(*TARGETS, config=STUDY)
    assert set(pd.read_csv(here.folder / SIM)["strategy"]) == {"between", "ols"}
    example = pd.read_csv(here.folder / TARGETS[1])
    assert set(example["strategy"]) == {"between", "ols"} and set(example["status"]) == {"ok"}

    monkeypatch.chdir(here.folder)
    study = Study.from_config(STUDY)
    cell = study.cells[0]
    shard = simulate(study.process(cell), study.seed, cell, range(study.sims)).shard
    expected = Strategy.parse("between").fit(shard).estimate
    rows = pd.read_parquet(here.result("estimates.parquet"))
    rows = rows[(rows["strategy"] == "between") & (rows[list(cell)] == pd.Series(cell)).all(axis=1)]
    assert (rows["estimate"].to_numpy() == expected.ravel()).all()

    before = rows_of(here)
    assert "Nothing to be done" in here.run(TARGETS[0], config=STUDY).output
    file.write_text(f"# Words\n{between()}")
    assert "Nothing to be done" in here.run(TARGETS[0], config=STUDY).output
    file.write_text(between().replace("rss / df", "4 * rss / df"))
    here.run(TARGETS[0], config=STUDY)
    assert fits_made(here) == {"ok": 4 * 4}, "one strategy, 4 sims in 4 cells"
    after = rows_of(here)
    pd.testing.assert_frame_equal(after["ols"], before["ols"], check_exact=True)
    twice = before["between"]["std_error"] * 2
    pd.testing.assert_series_equal(after["between"]["std_error"], twice, rtol=1e-14)


def rows_of(here: Checkout) -> dict[str, pd.DataFrame]:
    """Return the estimates by strategy."""
    rows = pd.read_parquet(here.result("estimates.parquet"))
    return {name: part.reset_index(drop=True) for name, part in rows.groupby("strategy")}


def test_what_is_wrong_with_it_is_one_sentence_and_runs_nothing(finished: Checkout) -> None:
    here = finished
    (here.folder / "ours.py").write_text(blank("ols"))
    (here.folder / "mine.yaml").write_text("study: other")
    for text, sentence in {
        "our.py": "strategies_from: there is no file 'our.py' (did you mean 'ours.py'?)",
        "ours.py": "strategies_from: ours.py, line 5: strategy 'ols' has the engine 'numpy' alrea",
    }.items():
        run = here.run("--configfile", "mine.yaml", "--config", f"strategies_from={text}", expect=1)
        assert f"mine.yaml: {sentence}" in run.output
        assert "Traceback" not in run.output
    assert not Path(here.folder, "results/other").exists()

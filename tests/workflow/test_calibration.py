"""A study on a table of one's own, as a user runs it: the workflow, the command, one process."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import yaml

from clustrategy import calibrate
from clustrategy.figures.words import words_of
from tests.conftest import Checkout
from tests.examples.student import twin
from tests.material import sleepstudy

STRATEGIES: list[Any] = [
    {"strategy": "cluster_robust", "name": "OLS CR2", "variance": "CR2", "df": "satterthwaite"},
    {"strategy": "wild_cluster_bootstrap", "draws": 39},
    "mixed_maximal",
    "ols",
]
SCENARIOS = ["estimated", "slopes_vary"]
CONFIG: dict[str, Any] = {
    "study": "sleep",
    "seed": 3,
    "sims": 60,
    "data": {
        "file": "sleep.csv",
        "formula": "Reaction ~ Days",
        "cluster": "Subject",
        "scenarios": SCENARIOS,
    },
    "strategies": STRATEGIES,
    "audit": None,
}
TABLES = ("verdicts", "power", "detectable", "placebo", "calibrated_choice")


def with_table(here: Checkout) -> Checkout:
    sleepstudy().to_csv(here.folder / "sleep.csv", index=False)
    return here


@pytest.mark.slow
def test_the_workflow_and_one_process_find_the_same(checkout: Callable[..., Checkout]) -> None:
    here = with_table(checkout())
    run = here.run(config=CONFIG)
    assert "Traceback" not in run.output
    assert "For Days" in run.output
    assert "2 scenarios of 60 sims" in run.output

    for figure in ("false_positives", "power_curves", "placebo"):
        assert here.result(f"figures/{figure}.png", "sleep").read_bytes().startswith(b"\x89PNG")
        assert words_of(here.result(f"figures/{figure}.svg", "sleep")).title
    page = here.result("report.html", "sleep").read_text()
    order = (
        "For Days",
        "The evidence</h2>",
        "Why to believe it</h2>",
        "The strategy is decided on",
    )
    assert [page.index(one) for one in order] == sorted(page.index(one) for one in order)
    own = pd.read_csv(here.result("own_estimates.csv", "sleep")).set_index(["strategy", "term"])
    # Of balanced data they are one number, lme4's for sleepstudy.
    assert own.loc[("ols", "Days"), "estimate"] == pytest.approx(10.467286, abs=1e-6)
    assert own.loc[("mixed_maximal", "Days"), "estimate"] == pytest.approx(10.467286, abs=1e-6)
    assert "10.47" in page.partition(order[-1])[2]
    assert "10.47" not in page.partition(order[-1])[0]
    scenarios = pd.read_csv(here.result("scenarios.csv", "sleep")).set_index("scenario")
    assert scenarios.loc["estimated", "note"].startswith("the working model has a random intercept")

    data = pd.read_csv(here.folder / "sleep.csv")
    found = calibrate(
        data,
        "Reaction ~ Days",
        cluster="Subject",
        strategies=STRATEGIES,
        sims=60,
        scenarios=SCENARIOS,
        seed=3,
    )
    ours = (found.verdicts(), found.power(), found.detectable(), found.placebo(), found.choice())
    for name, table in zip(TABLES, ours, strict=True):
        written = pd.read_parquet(here.result(f"{name}.parquet", "sleep"))
        pd.testing.assert_frame_equal(table, written, check_dtype=False, rtol=0, atol=0, obj=name)

    again = here.run(config=CONFIG)
    assert "Nothing to be done" in again.output

    more = {**CONFIG, "data": {**CONFIG["data"], "scenarios": [*SCENARIOS, "upper_95"]}}
    run = here.run("results/sleep/estimates.parquet", config=more)
    assert "4 of 6 blocks are good and are taken over; 2 will be made (2 missing" in run.output

    rows = data.iloc[1:]
    rows.to_csv(here.folder / "sleep.csv", index=False)
    refused = here.run(config=CONFIG, expect=1)
    assert re.search(r"results/sleep: was made from another table", refused.output)
    assert "Traceback" not in refused.output


def test_a_dataset_of_a_table_is_made_again(checkout: Callable[..., Checkout]) -> None:
    here = with_table(checkout())
    target = "results/sleep/remade/scenario=slopes_vary/sim=7"
    here.run(f"{target}/dataset.csv", config={**CONFIG, "keep_datasets": True})
    remade = pd.read_csv(here.folder / target / "dataset.csv")
    assert remade["Days"].tolist() == sleepstudy()["Days"].tolist()
    assert (pd.read_csv(here.folder / target / "truth.csv")["value"] == 0).all()
    here.run("results/sleep/fits.parquet", config={**CONFIG, "keep_datasets": True})
    kept = pd.read_parquet(here.result("datasets", "sleep"))
    kept = kept[(kept["scenario"] == "slopes_vary") & (kept["sim"] == 7)]
    assert remade["DV"].tolist() == pytest.approx(kept["DV"].tolist(), rel=1e-14)


def test_the_config_that_the_command_writes_is_a_study(
    checkout: Callable[..., Checkout], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command becomes Snakemake; up to there it is run here."""
    from clustrategy.runtime.command_line import main

    here = with_table(checkout())
    monkeypatch.chdir(here.folder)
    called: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda _, command: called.append(command))
    table = ["sleep.csv", "Reaction ~ Days + (Days | Subject)"]
    main(["calibrate", *table, "--sims", "40", "--scenario", "estimated", "--effects", "Days=2,4"])
    path = "results/sleep/config.yaml"
    assert called[0][called[0].index("--configfile") + 1] == path
    config = yaml.safe_load((here.folder / path).read_text())
    assert config["verdict"] == {"effects": {"Days": [2.0, 4.0]}}
    assert config["data"]["scenarios"] == ["estimated"]
    mixed = next(one for one in config["strategies"] if one["strategy"] == "mixed")
    assert mixed["random"] == ["(Intercept)", "Days"]
    run = here.run("--dry-run", "--configfile", path)
    assert "40 datasets of 1 cell to be made (7,200 rows, 320 fits)" in run.output


REFUSED = [
    (["nowhere.csv", "y ~ x", "--cluster", "g"], "nowhere.csv"),
    (["sleep.csv", "Reaction ~ Dayz", "--cluster", "Subject"], "Dayz"),
    (["sleep.csv", "Reaction ~ Days", "--cluster", "Subject", "--order", "Night"], "Night"),
    (["sleep.csv", "Reaction ~ Days", "--cluster", "Subject", "--effects", "Days=0"], "than 0"),
    (["sleep.csv", "Reaction ~ Days", "--cluster", "Subject", "--scenario", "worst"], "worst"),
    (["sleep.csv", "Reaction ~ Days", "--cluster", "Subject", "--name", "a b"], "a b"),
    (["sleep.csv", "Reaction ~ Days", "--cluster", "Subject", "--strategy", "old"], "old"),
]


@pytest.mark.parametrize(("arguments", "word"), REFUSED, ids=lambda one: str(one)[-30:])
def test_what_is_wrong_is_said_before_anything_is_written(
    arguments: list[str], word: str, tmp_path, monkeypatch, capsys
) -> None:
    from clustrategy.runtime.command_line import main

    sleepstudy().to_csv(tmp_path / "sleep.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("was run"))
    with pytest.raises(SystemExit) as caught:
        main(["calibrate", *arguments])
    said = f"{caught.value.code} {capsys.readouterr().err}"
    assert word in said
    assert "Traceback" not in said
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", ["student", "cluster-trial", "repeated-measures"])
def test_the_examples_are_studies(name: str, checkout: Callable[..., Checkout]) -> None:
    here = checkout()
    if name == "student":
        table = here.folder / "results" / "three-ways" / "student" / "student-mat.csv"
        table.parent.mkdir(parents=True)
        twin().to_csv(table, index=False)
    run = here.run("--dry-run", "--configfile", f"examples/{name}/config.yaml")
    assert re.search(r"clustrategy: \d0,000 datasets of \d cells to be made", run.output)
    assert not (here.folder / "results" / name).exists()

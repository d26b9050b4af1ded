"""A whole run, as a user does it, and what it leaves behind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pandas as pd
import pyarrow.dataset as ds
import pytest

from clustrategy.figures.words import words_of
from tests.conftest import SMALL, Checkout

FIGURES = [
    "false_positives",
    "power_by_effect",
    "head_to_head",
    "verdict_map",
    "coefficient_recovery",
    "standard_errors",
    "t_statistics",
    "convergence",
    "cluster_coefficients",
    "dependence",
]
STRATEGIES = ["cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept"]
FACTORS = ["clusters", "obs_per_cluster", "between_cluster_sigma"]


@pytest.mark.slow
def test_everything_is_made_and_a_second_run_does_nothing(
    checkout: Callable[..., Checkout],
) -> None:
    here = checkout()
    run = here.run(config=SMALL)
    assert "Traceback" not in run.output
    assert "Warning" not in run.output
    assert "unusable" in run.output
    progress = re.findall(r"^\d\d:\d\d:\d\d  (.* done \(\d+ %\)), (.*)$", run.output, re.MULTILINE)
    said = [words for words, _ in progress]
    assert len(set(said)) == len(said) <= 20
    assert re.search(r"16 of 16 datasets done \(100 %\), \d+ of 64 fits unusable, ", run.output)
    assert re.fullmatch(r"(\d+) of \1 steps done \(100 %\)", said[-1])
    assert "results/small/" in run.output

    for figure in FIGURES:
        assert here.result(f"figures/{figure}.png").read_bytes().startswith(b"\x89PNG")
        assert here.result(f"figures/{figure}.pdf").read_bytes().startswith(b"%PDF")
        assert words_of(here.result(f"figures/{figure}.svg")).title
    fits = 4 * 4 * 4
    scores = pd.read_csv(here.result("sim_results.csv"))
    metrics = ["coef_abs_err", "se_sum", "t_sum", "fit_success"]
    assert list(scores.columns) == [*FACTORS, "sim", "strategy", *metrics]
    assert len(scores) == fits
    estimates = pd.read_parquet(here.result("estimates.parquet"))
    tidy = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"]
    first = [*FACTORS, "sim", "strategy", "engine", "term"]
    assert list(estimates.columns) == [*first, *tidy, "p_value_low", "p_value_nulls"]
    assert len(estimates) == fits * 4
    assert len(pd.read_parquet(here.result("fits.parquet"))) == fits

    # The scores follow from the tables beside them, by another route than the program's.
    people = pd.read_csv(here.result("sim_estimates.csv"))
    keys = [*FACTORS, "sim", "strategy"]
    people["error"] = (people["estimate"] - people["true_value"]).abs()
    people["t"] = people["statistic"].abs()
    sums = people.groupby(keys, as_index=False)[["error", "std_error", "t"]].sum()
    both = scores.merge(sums, on=keys, validate="1:1")
    assert both["coef_abs_err"].to_numpy() == pytest.approx(both["error"].to_numpy(), rel=1e-12)
    assert both["se_sum"].to_numpy() == pytest.approx(both["std_error"].to_numpy(), rel=1e-12)
    assert both["t_sum"].to_numpy() == pytest.approx(both["t"].to_numpy(), rel=1e-12)

    # The shards read as one Hive-partitioned table, with the factors as columns.
    shards = ds.dataset(here.result("scores"), partitioning="hive").to_table().to_pandas()
    assert len(shards) == fits
    assert set(FACTORS) <= set(shards.columns)

    summary = pd.read_csv(here.result("summary.csv")).set_index("strategy")
    medians = scores.groupby("strategy")[metrics[:3]].median()
    for metric in metrics[:3]:
        for strategy in STRATEGIES:
            found = summary.loc[strategy, f"median_{metric}"]
            assert found == pytest.approx(medians.loc[strategy, metric], rel=1e-12)
    assert list(summary.index) == STRATEGIES

    provenance = json.loads(here.result("provenance.json").read_text())
    assert provenance["seed"] == 1
    assert provenance["config"]["grid"]["clusters"] == [6, 8]
    assert provenance["packages"]["glmm"] == "0.6.2"
    assert provenance["start"] <= provenance["end"]
    assert "snakemake" in provenance["command"]

    page = here.result("worked_example/worked_example.md").read_text()
    assert all(f"## {strategy} (" in page for strategy in STRATEGIES)
    example = pd.read_csv(here.result("worked_example/dataset.csv"))
    assert example.shape == (2500, 5)
    assert not list(here.result("datasets").rglob("*.parquet"))

    report = here.result("report.html").read_text()
    assert "small: which analysis can be trusted?" in report
    assert provenance["end"][:10] in report
    assert "@software{clustrategy" in report
    assert report.count("<img") == len(list(here.result("figures").glob("*.svg")))

    again = here.run(config=SMALL)
    assert "Nothing to be done" in again.output
    # The page is judged by what it holds, as every result.
    here.result("report.html").write_text(report.replace("clustrategy", "CLUSTRATEGY"))
    here.run(config=SMALL)
    assert here.result("report.html").read_text() == report
    here.run("--report", "snakemake.html", config=SMALL)
    theirs = (here.folder / "snakemake.html").read_text()
    assert "How far the estimated coefficients are from the true ones." in theirs
    assert "What is to be thought of each strategy" in theirs
    redraw = here.run("--dry-run", config={**SMALL, "figures": {"palette": "deep"}})
    assert "figure" in redraw.output
    assert "simulate" not in redraw.output
    assert "aggregate" not in redraw.output
    assert "performance" not in redraw.output
    (here.folder / "scripts/aggregate.py").touch()
    (here.folder / "scripts/simulate_fit_score.py").touch()
    assert "Nothing to be done" in here.run(config=SMALL).output


def test_a_further_factor_and_undefined_estimators(checkout: Callable[..., Checkout]) -> None:
    here = checkout()
    grid = {
        "clusters": [8],
        "obs_per_cluster": [2, 6],
        "between_cluster_sigma": [1],
        "residual_sigma": [0.5, 1, 2],
    }
    here.run(
        "results/small/performance.parquet",
        config={**SMALL, "grid": grid, "keep_datasets": True, "csv": False},
    )
    assert not here.result("sim_estimates.csv").exists()
    fits = pd.read_parquet(here.result("fits.parquet"))
    assert list(fits.columns[:4]) == [*FACTORS, "residual_sigma"]
    assert sorted(fits["residual_sigma"].unique()) == [0.5, 1, 2]
    small = fits[(fits["obs_per_cluster"] == 2)].groupby("strategy")["status"].unique()
    assert list(small["two_stage"]) == ["undefined"]
    assert list(small["mixed_maximal"]) == ["undefined"]
    assert "undefined" not in small["cluster_robust"]
    assert "undefined" not in fits.loc[fits["obs_per_cluster"] == 6, "status"].unique()
    estimates = pd.read_parquet(here.result("estimates.parquet"))
    two_stage = estimates[
        (estimates["obs_per_cluster"] == 2) & (estimates["strategy"] == "two_stage")
    ]
    assert len(two_stage) == 4 * 3 * 4
    assert two_stage["estimate"].isna().all()
    assert len(list(here.result("datasets").rglob("*.parquet"))) == 6
    # The errors scale with residual_sigma and nothing else of the data need be the same; the
    # variance of the residuals is what the factor says it is.
    ols = fits[(fits["strategy"] == "mixed_maximal") & (fits["obs_per_cluster"] == 6)]
    sigma = ols.groupby("residual_sigma")["sigma"].mean()
    assert sigma.loc[2] > sigma.loc[1] > sigma.loc[0.5]


def test_predictors_as_a_factor(checkout: Callable[..., Checkout]) -> None:
    """They are of a dataset's size and stand behind sigma in the paths."""
    here = checkout()
    grid = {
        "clusters": [8],
        "obs_per_cluster": [6],
        "between_cluster_sigma": [0.5, 1],
        "predictors": [1, 2],
        "residual_sigma": [1, 2],
    }
    config = {**SMALL, "grid": grid, "strategies": ["two_stage"]}
    here.run("results/small/sim_estimates.csv", config=config)
    people = pd.read_csv(here.result("sim_estimates.csv"))
    assert list(people.columns[:5]) == [*FACTORS, "predictors", "residual_sigma"]
    terms = people.groupby(["predictors", "residual_sigma", "between_cluster_sigma"])["term"]
    assert dict(terms.size().groupby("predictors").unique()) == {1: [4 * 2], 2: [4 * 3]}
    assert len(list(here.result("fits").rglob("*.parquet"))) == 8


@pytest.mark.slow
@pytest.mark.lme4
def test_the_lme4_engine_sees_the_same_datasets(
    checkout: Callable[..., Checkout], needs_r: None
) -> None:
    here = checkout()
    targets = ["estimates.parquet", "fits.parquet"]
    lme4 = [
        "cluster_robust",
        {"strategy": "mixed_maximal", "engine": "lme4"},
        {"strategy": "mixed_intercept", "engine": "lme4"},
    ]
    ours = ["cluster_robust", "mixed_maximal", "mixed_intercept"]
    results = {}
    for name, strategies in (("ours", ours), ("theirs", lme4)):
        config = {**SMALL, "study": name, "strategies": strategies}
        here.run(*(f"results/{name}/{target}" for target in targets), config=config)
        read = [pd.read_parquet(here.result(target, name)) for target in targets]
        results[name] = read
    (ours_estimates, ours_fits), (estimates, fits) = results["ours"], results["theirs"]
    robust = estimates["strategy"] == "cluster_robust"
    pd.testing.assert_frame_equal(estimates[robust], ours_estimates[robust])
    mixed = fits["strategy"] == "mixed_intercept"
    assert set(fits.loc[mixed, "engine"]) == {"lme4"}
    difference = (fits.loc[mixed, "reml_criterion"] - ours_fits.loc[mixed, "reml_criterion"]).abs()
    assert difference.max() < 1e-6

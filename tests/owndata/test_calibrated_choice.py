"""Calibrate, choose, test: on a study of a table, against the same by hand and by files."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import t as student

from clustrategy import calibrate
from clustrategy.calibration.given_data import GivenData
from clustrategy.calibration.restricted_likelihood import ScenarioLikelihoods
from clustrategy.design.from_table import design_from_table
from clustrategy.dgp.given import draw_given
from clustrategy.evaluation.choice import ALWAYS, RULES
from clustrategy.evaluation.choice_in_words import choice_sentences
from clustrategy.owndata.calibrated_choice import calibrated_choice
from clustrategy.steps.aggregate import aggregate
from clustrategy.steps.calibrated_choice import calibrated_choice as write_choice
from clustrategy.steps.verdicts import verdicts as write_verdicts
from clustrategy.study.in_memory import simulated_cells
from clustrategy.study.plan import Plan
from clustrategy.study.study import Study
from clustrategy.study.verdicts import study_verdicts
from tests.study.cheap import KINDS, work_off

SIMS = 60
NAMES = ("estimated", "lower_80", "upper_80")


@cache
def given_data() -> GivenData:
    rng = np.random.default_rng(12)
    g = np.repeat(np.arange(8), [4, 6, 5, 3, 6, 4, 5, 7])
    treat = g % 2
    y = 0.5 * rng.normal(size=8)[g] + rng.normal(size=g.size)
    table = pd.DataFrame({"g": g, "treat": treat, "y": y})
    return GivenData.of(design_from_table(table, "y ~ treat", "g"), "here", ordered=False)


def study(**changes: Any) -> Study:
    config = {
        "study": "own",
        "seed": 3,
        "sims": SIMS,
        "sims_per_shard": SIMS,
        "audit": None,
        "data": {"file": "own.csv", "formula": "y ~ treat", "cluster": "g", "scenarios": [*NAMES]},
        "strategies": ["ols", {"strategy": "wild_cluster_bootstrap", "draws": 39}, "two_stage"],
        **changes,
    }
    return Study.from_config(config, given=given_data())


def found(plan: Plan, settings: Any, verdicts: pa.Table) -> pa.Table:
    return calibrated_choice(plan, settings, simulated_cells(plan), verdicts)


@cache
def made() -> tuple[Study, pa.Table, pa.Table]:
    """A study, its verdicts and its table of choices."""
    own = study()
    settings = own.verdict_settings
    verdicts = study_verdicts(own.plan, settings, simulated_cells(own.plan))
    return own, verdicts, found(own.plan, settings, verdicts)


def judged_as(verdicts: pa.Table, safe: dict[str, set[str]]) -> pa.Table:
    """The same verdicts, but for who is safe where, the same power for all."""
    frame = verdicts.to_pandas()
    rates = (frame["measure"] == "false_positive_rate") & (frame["scope"] == "cell")
    frame.loc[rates, "safe"] = [
        strategy in safe.get(scenario, ())
        for strategy, scenario in frame.loc[rates, ["strategy", "scenario"]].to_numpy()
    ]
    frame.loc[frame["measure"] == "size_adjusted_power", "value"] = 0.5
    return pa.Table.from_pandas(frame, schema=verdicts.schema, preserve_index=False)


def test_the_rates_are_those_of_the_chosen_tests_by_hand():
    own, verdicts, _ = made()
    plan, settings = own.plan, own.verdict_settings
    # At the lower limit `ols` is chosen, as the first that is safe, `two_stage` at the others.
    safe = {
        "estimated": {"two_stage"},
        "lower_80": {"ols", "two_stage"},
        "upper_80": {"two_stage"},
    }
    table = found(plan, settings, judged_as(verdicts, safe)).to_pandas()
    likelihoods = ScenarioLikelihoods.of([given_data().processes[name] for name in NAMES])
    for cell, name in zip(simulated_cells(plan), NAMES, strict=True):
        y = draw_given(given_data().processes[name], 3, name, range(SIMS)).y.reshape(SIMS, -1)
        lower_is_closest = likelihoods.shortfalls(y).argmin(axis=1) == 1
        assert 0 < lower_is_closest.sum() < SIMS
        t = cell.numbers["estimate"][:, 1] / cell.numbers["std_error"][:, 1]
        rejected = 2 * student.sf(np.abs(t), cell.numbers["df"][:, 1]) <= 0.05
        expected = np.where(lower_is_closest, rejected[0], rejected[2]).mean()
        rows = table[(table["scenario"] == name) & (table["kind"] == "treat")]
        rate = rows[(rows["rule"] == "closest") & (rows["measure"] == "false_positive_rate")]
        assert rate["value"].item() == pytest.approx(expected)
        share = rows[(rows["rule"] == "closest") & (rows["chosen"] == "ols")]["value"]
        assert share.item() == pytest.approx(lower_is_closest.mean())


@pytest.mark.parametrize("strategy", ["wild_cluster_bootstrap", "two_stage"])
def test_one_that_alone_is_safe_everywhere_has_its_own_rates_and_power(strategy):
    own, verdicts, _ = made()
    alone = judged_as(verdicts, {name: {strategy} for name in NAMES})
    table = found(own.plan, own.verdict_settings, alone).to_pandas()
    whole = verdicts.to_pandas()
    effect = own.verdict_settings["effect"]["treat"]
    for measure in ("false_positive_rate", "power"):
        rows = whole[
            (whole["strategy"] == strategy)
            & (whole["kind"] == "treat")
            & (whole["measure"] == measure)
            & (whole["scope"] == "cell")
            & (whole["effect"].isna() | (whole["effect"] == effect))
        ]
        for rule in RULES:
            mine = table[
                (table["rule"] == rule)
                & (table["kind"] == "treat")
                & (table["measure"] == measure)
                & (table["scope"] == "cell")
            ]
            columns = ["scenario", "value", "mcse", "conf_low", "conf_high", "n", "verdict"]
            assert len(mine) == len(NAMES)
            pd.testing.assert_frame_equal(
                mine[columns].reset_index(drop=True), rows[columns].reset_index(drop=True)
            )


def test_shares_add_up_to_one_and_the_last_rule_does_not_choose():
    shares = made()[2].to_pandas().query("measure == 'chosen'")
    totals = shares.groupby(["scenario", "rule", "kind"])["value"].sum()
    assert len(totals) == len(NAMES) * len(RULES) * 2
    np.testing.assert_allclose(totals, 1.0)
    always = shares[(shares["rule"] == ALWAYS) & (shares["kind"] == "treat")]
    assert always["chosen"].nunique() == 1 and (always["value"] == 1.0).all()


def test_power_is_not_known_of_what_is_not_equivariant():
    own, verdicts, _ = made()
    alone = judged_as(verdicts, {name: {"two_stage"} for name in NAMES})
    settings = own.verdict_settings
    settings["equivariant"] = {**settings["equivariant"], "two_stage": False}
    table = found(own.plan, settings, alone).to_pandas().query("kind == 'treat'")
    assert table.query("measure == 'power'")["value"].isna().all()
    assert table.query("measure == 'false_positive_rate'")["value"].notna().all()


def test_the_cut_into_blocks_changes_nothing():
    own, verdicts, whole = made()
    other = study(sims_per_shard=7)
    assert found(other.plan, other.verdict_settings, verdicts).equals(whole)


def test_a_call_gives_the_same():
    """A study without audit and in one process has the same table and sentences."""
    table = pd.DataFrame({"g": given_data().shard.cluster_codes(0), "y": given_data().shard.y})
    table["treat"] = given_data().shard.X[:, 1]
    strategies = ["ols", {"strategy": "wild_cluster_bootstrap", "draws": 39}, "two_stage"]
    own, whole = made()[0], made()[2]
    calibration = calibrate(
        table,
        "y ~ treat",
        cluster="g",
        strategies=strategies,
        sims=SIMS,
        scenarios=NAMES,
        seed=own.seed,
    )
    pd.testing.assert_frame_equal(calibration.choice(), whole.to_pandas())
    assert calibration.on_choosing == choice_sentences(whole)


def test_the_files_hold_the_same(tmp_path: Path):
    own, _, whole = made()
    recipe = replace(own.plan.recipe, folder=str(tmp_path))
    plan = replace(own.plan, folder=str(tmp_path), recipe=recipe)
    plan.write()
    given_data().write(str(tmp_path))
    work_off(plan)
    tables = {kind: f"{tmp_path}/{kind}.parquet" for kind in KINDS}
    aggregate(str(tmp_path), **tables)
    del tables["scores"]
    settings = own.verdict_settings
    verdicts, choice = f"{tmp_path}/verdicts", f"{tmp_path}/calibrated_choice"
    write_verdicts(
        plan.folder,
        settings,
        **tables,
        verdicts=f"{verdicts}.parquet",
        verdicts_csv=f"{verdicts}.csv",
    )
    write_choice(
        plan.folder,
        settings,
        **tables,
        verdicts=f"{verdicts}.parquet",
        calibrated_choice=f"{choice}.parquet",
        calibrated_choice_csv=f"{choice}.csv",
    )
    frame = pd.read_parquet(f"{choice}.parquet")
    pd.testing.assert_frame_equal(frame, whole.to_pandas())
    back = pd.read_csv(f"{choice}.csv", float_precision="round_trip")
    pd.testing.assert_series_equal(back["value"], frame["value"])

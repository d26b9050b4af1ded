"""Shards: the same bits however they come about, and made again where they are not right."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from clustrategy.core.errors import DataError
from clustrategy.dgp import simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.study import recipe
from clustrategy.study.blocks import Block
from clustrategy.study.plan import Plan
from clustrategy.study.recipe import Recipe
from clustrategy.study.shards import MADE_FROM, Shards, judge, make, read, stamp
from clustrategy.tables.datasets import shard_from_datasets
from clustrategy.tables.estimates import fits_from_tables
from clustrategy.tables.sealed import write_sealed
from tests.material import same_bits
from tests.study.cheap import (
    KINDS,
    LABELS,
    bits,
    contents,
    dates,
    finished,
    planned,
    rows,
    shards_of,
    work_off,
)

CR0 = {"strategy": "cluster_robust", "variance": "CR0", "df": "G-1"}


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("strategies", [LABELS, ("ols", *LABELS, "mixed_maximal")])
def test_rows_are_the_same_bits_whatever_is_beside_them(
    tmp_path: Path, size: int, strategies: tuple[str, ...]
) -> None:
    whole = finished(tmp_path / "whole", sims=4, sims_per_shard=4, keep_datasets=True)
    other = finished(
        tmp_path / "other",
        sims=4,
        sims_per_shard=size,
        keep_datasets=True,
        strategies=list(strategies),
    )
    assert len(other.blocks) > len(whole.blocks)
    for kind in KINDS[1:]:
        assert bits(rows(other, kind), LABELS) == bits(rows(whole, kind))
    for kind in ("truth", "datasets"):
        assert bits(rows(other, kind)) == bits(rows(whole, kind))


def test_what_is_good_is_left_alone(tmp_path: Path, fitted: list[str]) -> None:
    plan = finished(tmp_path)
    assert len(contents(tmp_path)) == len(plan.blocks) * len(KINDS) == 16
    assert len(fitted) == 8
    before = dates(tmp_path)
    assert all(judged.task is None and not judged.is_missing for judged in judge(plan))
    for block in plan.blocks:
        make(plan.recipe, plan.folder, block)
    assert dates(tmp_path) == before
    assert len(fitted) == 8


def test_only_what_is_new_is_fitted(tmp_path: Path, fitted: list[str]) -> None:
    first = finished(tmp_path)
    before = {kind: bits(rows(first, kind)) for kind in KINDS}
    drawn = {path: date for path, date in dates(tmp_path).items() if path.startswith("truth")}
    del fitted[:]

    more = planned(tmp_path, strategies=["ols", *LABELS])
    assert [judged.is_missing for judged in judge(more)] == [False] * 4
    assert work_off(more) == 4
    assert fitted == ["ols"] * 4
    for kind in KINDS[1:]:
        assert bits(rows(more, kind), LABELS) == before[kind]
        assert set(rows(more, kind)["strategy"].to_pylist()) == {"ols", *LABELS}
    assert dates(tmp_path).items() >= drawn.items()

    del fitted[:]
    changed = planned(tmp_path, strategies=["ols", CR0, "two_stage"])
    assert work_off(changed) == 4
    assert fitted == ["cluster_robust"] * 4, "another option is another fit"
    assert bits(rows(changed, "fits"), ["two_stage"]) == bits(rows(first_again(tmp_path), "fits"))

    del fitted[:]
    other = planned(tmp_path, strategies=["ols"], seed=2)
    assert work_off(other) == 4
    assert fitted == ["ols"] * 4, "other data are other fits"


def first_again(folder: Path) -> Plan:
    """Plan a study of two-stage regression alone."""
    return planned(folder, strategies=["two_stage"])


def test_fewer_strategies_or_another_order_need_nothing(tmp_path: Path, fitted: list[str]) -> None:
    both = finished(tmp_path)
    before, known = dates(tmp_path), {kind: rows(both, kind) for kind in KINDS}
    del fitted[:]
    fewer = first_again(tmp_path)
    backwards = planned(tmp_path, strategies=list(reversed(LABELS)))
    assert (work_off(fewer), work_off(backwards), fitted) == (0, 0, [])
    assert dates(tmp_path) == before
    for kind in KINDS[1:]:
        assert bits(rows(fewer, kind)) == bits(known[kind], ["two_stage"])
        assert bits(rows(backwards, kind)) == bits(known[kind])


def test_a_strategy_that_comes_back_is_fitted_again_where_its_rows_went(
    tmp_path: Path, fitted: list[str]
) -> None:
    both = finished(tmp_path)
    before = contents(tmp_path)
    work_off(planned(tmp_path, strategies=["two_stage", "ols"]))
    del fitted[:]
    assert work_off(both) == 4
    assert fitted == ["cluster_robust"] * 4
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("kind", "again"),
    [("scores", []), ("truth", []), ("estimates", list(LABELS)), ("fits", list(LABELS))],
)
def test_a_deleted_shard_is_made_again(
    tmp_path: Path, fitted: list[str], kind: str, again: list[str]
) -> None:
    plan = finished(tmp_path)
    before = contents(tmp_path)
    shards = shards_of(plan)[1]
    shards.file(kind).unlink()
    del fitted[:]
    assert [judged.is_missing for judged in judge(plan)] == [False, True, False, False]
    assert work_off(plan) == 1
    assert fitted == again
    assert contents(tmp_path) == before


def halved(content: bytes) -> bytes:
    """Cut a file off."""
    return content[: len(content) // 2]


def of_other_data(content: bytes) -> bytes:
    """Change a digit of each digest that a shard carries."""
    assert content.count(b'": "') >= 1
    place = content.index(b'": "') + 4
    digit = b"0" if content[place : place + 1] != b"0" else b"1"
    return content[:place] + digit + content[place + 1 :]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("damage", "is_missing"),
    [
        (halved, True),
        (lambda _: b"", True),
        (lambda _: b"PAR1 and then nothing", True),
        (lambda content: bytes(len(content)), True),
        (of_other_data, False),
    ],
)
def test_a_damaged_shard_is_made_again(
    tmp_path: Path, kind: str, damage: Callable[[bytes], bytes], is_missing: bool
) -> None:
    plan = finished(tmp_path)
    before = contents(tmp_path)
    file = shards_of(plan)[2].file(kind)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DataError, match=r"is not there, or was made from something else"):
        read(shards_of(plan)[2], kind)
    judged = list(judge(plan))
    assert [one.task is not None for one in judged] == [False, False, True, False]
    assert judged[2].is_missing is is_missing
    work_off(plan)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_noticed_when_a_shard_is_read(tmp_path: Path, kind: str) -> None:
    plan = finished(tmp_path)
    before = contents(tmp_path)
    shards = shards_of(plan)[0]
    file = shards.file(kind)
    content = bytearray(file.read_bytes())
    content[40] ^= 1
    file.write_bytes(content)
    assert shards.state().is_good, "its rows are not read"
    with pytest.raises(DataError, match=r"sims=0-1\.parquet: (is damaged|cannot be read)"):
        read(shards, kind)
    make(plan.recipe, plan.folder, shards.block, afresh=True)
    assert contents(tmp_path) == before


def test_rows_that_cannot_be_read_are_not_taken_over(tmp_path: Path, fitted: list[str]) -> None:
    plan = finished(tmp_path)
    before = contents(tmp_path)
    shards = shards_of(plan)[0]
    content = bytearray(shards.file("estimates").read_bytes())
    content[40] ^= 1
    shards.file("estimates").write_bytes(content)
    shards.file("scores").unlink()
    del fitted[:]
    work_off(plan)
    assert fitted == list(LABELS)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["cell", "block", "seed"])
def test_a_shard_of_something_else_is_stale(tmp_path: Path, kind: str, source: str) -> None:
    plan = finished(tmp_path / "plan", sims=4)
    before = contents(plan.folder)
    first, second, third, _ = shards_of(plan)
    other = shards_of(finished(tmp_path / "other", sims=4, seed=2))[0]
    origin = {"cell": third, "block": second, "seed": other}[source]
    shutil.copy2(origin.file(kind), first.file(kind))
    state = first.state()
    assert not state.is_good and state.missing == 0
    with pytest.raises(DataError, match="made from something else"):
        read(first, kind)
    assert work_off(plan) == 1
    assert contents(plan.folder) == before


def test_a_shard_of_other_sims_is_refused_though_it_claims_to_be_right(tmp_path: Path) -> None:
    plan = finished(tmp_path, sims_per_shard=3)
    for kind in KINDS:
        shards = shards_of(plan)[0]
        table = read(shards, kind)
        sims = table["sim"].to_numpy()
        place = table.column_names.index("sim")
        few = (sims < 2, np.arange(table.num_rows) > 0, sims < 0)
        # As many rows as there should be, of the next block or of two sims alone.
        others = (sims + 3, np.minimum(sims, 1))
        for wrong in (
            *(table.filter(kept) for kept in few),
            *(table.set_column(place, "sim", pa.array(other)) for other in others),
        ):
            made_from = json.dumps(dict(shards.parts(kind)))
            write_sealed(wrong, shards.file(kind), {MADE_FROM: made_from})
            with pytest.raises(DataError, match=r"does not hold sims 0 to 2"):
                read(shards, kind)


def drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "version", lambda package: f"another {package}")


def fitting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustrategy.engines.chosen.code_digest", lambda files: "other code")


def one_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {label: Strategy.parse(label).versions for label in LABELS}
    versions = known | {"two_stage": {"numpy": "99"}}
    monkeypatch.setattr(Strategy, "versions", property(lambda self: versions[self.name]))


def scoring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recipe, "_scoring", "other code")


@pytest.mark.parametrize(
    ("change", "unfitted", "unscored", "undrawn"),
    [
        (drawing, LABELS, LABELS, ["truth"]),
        (fitting, LABELS, LABELS, []),
        (one_engine, ["two_stage"], ["two_stage"], []),
        (scoring, [], LABELS, []),
    ],
)
def test_other_code_or_versions_make_shards_stale(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fitted: list[str],
    change: Callable[[pytest.MonkeyPatch], None],
    unfitted: list[str],
    unscored: list[str],
    undrawn: list[str],
) -> None:
    before = {kind: bits(rows(finished(tmp_path), kind)) for kind in KINDS}
    change(monkeypatch)
    plan = planned(tmp_path)
    for shards in shards_of(plan):
        assert shards.state() == (0, [*unfitted], [*unscored], undrawn)
    del fitted[:]
    assert work_off(plan) == 4
    assert fitted == [*unfitted] * 4
    assert {kind: bits(rows(plan, kind)) for kind in KINDS} == before
    assert work_off(plan) == 0


def test_datasets_are_kept_where_a_study_wants_them(tmp_path: Path, fitted: list[str]) -> None:
    without = finished(tmp_path)
    before, known = contents(tmp_path), dates(tmp_path)
    del fitted[:]
    plan = planned(tmp_path, keep_datasets=True)
    assert work_off(plan) == 4
    assert fitted == []
    assert {p: c for p, c in contents(tmp_path).items() if not p.startswith("datasets")} == before
    kept = [path for path in known if not path.startswith("scores")]
    assert {path: dates(tmp_path)[path] for path in kept} == {path: known[path] for path in kept}

    shards = shards_of(plan)[0]
    shard, sims = shard_from_datasets(read(shards, "datasets"))
    drawn = simulate(plan.recipe.process(shards.block.cell), 1, shards.block.cell, range(2)).shard
    assert sims == [0, 1]
    assert np.array_equal(shard.y, drawn.y) and np.array_equal(shard.X, drawn.X)

    all_files = dates(tmp_path)
    assert work_off(without) == 0, "datasets too many do no harm"
    shards.file("datasets").unlink()
    assert work_off(without) == 0
    assert work_off(plan) == 1
    assert dates(tmp_path).keys() == all_files.keys()


def test_fits_stand_in_shards_as_the_strategy_gave_them(tmp_path: Path) -> None:
    plan = finished(tmp_path, strategies=[CR0, "mixed_maximal", "two_stage"])
    for shards in shards_of(plan):
        block = shards.block
        drawn = simulate(plan.recipe.process(block.cell), 1, block.cell, block.sims)
        truth = read(shards, "truth")
        assert truth["value"].to_pylist() == drawn.truth.reshape(-1).tolist()
        assert truth["term"].to_pylist() == [*drawn.shard.terms] * len(block.sims)
        for label, strategy in plan.recipe.chosen.items():
            tables = [read(shards, kind) for kind in ("estimates", "fits")]
            mine = [t.filter(np.array(t["strategy"].to_pylist()) == label) for t in tables]
            expected = strategy.fit(drawn.shard)
            found = fits_from_tables(*mine)
            assert same_bits(found, expected)
            assert found.message.tolist() == expected.message.tolist()
            assert set(mine[1]["engine"].to_pylist()) == {"numpy"}


def test_scores_are_sums_over_coefficients(tmp_path: Path) -> None:
    """Computed here from the other shards, by pandas."""
    plan = finished(tmp_path, strategies=["mixed_maximal", "two_stage"])
    for shards in shards_of(plan):
        estimates, fits, truth = (
            read(shards, kind).to_pandas() for kind in ("estimates", "fits", "truth")
        )
        joined = estimates.merge(truth, on=["sim", "term"], validate="m:1")
        joined["coef_abs_err"] = (joined["estimate"] - joined["value"]).abs()
        joined["t_sum"] = (joined["estimate"] / joined["std_error"]).abs()
        joined["se_sum"] = joined["std_error"]
        names = ["coef_abs_err", "se_sum", "t_sum"]
        keys = ["strategy", "sim"]
        sums = joined.groupby(keys)[names].sum(min_count=4)
        scores = read(shards, "scores").to_pandas().set_index(keys)
        np.testing.assert_allclose(scores[names], sums, rtol=1e-14)
        success = fits.set_index(keys)["status"] == "ok"
        assert scores["fit_success"].tolist() == success.tolist()


def test_failures_are_rows_like_others(tmp_path: Path) -> None:
    """Two rows a cluster are too few for two-stage regression on three predictors."""
    grid = {"clusters": [6], "obs_per_cluster": [2], "between_cluster_sigma": [0.5]}
    plan = finished(tmp_path, grid=grid)
    scores, fits = (rows(plan, kind).to_pandas() for kind in ("scores", "fits"))
    failed = scores["strategy"] == "two_stage"
    assert failed.sum() == 3
    assert not scores.loc[failed, "fit_success"].any()
    assert scores.loc[failed, ["coef_abs_err", "se_sum", "t_sum"]].isna().all(axis=None)
    assert scores.loc[~failed, "fit_success"].all()
    assert fits.loc[fits["strategy"] == "two_stage", "status"].eq("undefined").all()


def test_a_stamp_is_read_from_whole_files_alone(tmp_path: Path) -> None:
    plan = finished(tmp_path)
    shards = shards_of(plan)[0]
    for kind in KINDS:
        assert stamp(shards.file(kind)) == dict(shards.parts(kind))
    assert stamp(tmp_path / "none.parquet") is None
    assert stamp(tmp_path) is None
    for text in ("[1]", "3", "{}"):
        write_sealed(read(shards, "truth"), tmp_path / "other.parquet", {MADE_FROM: text})
        assert stamp(tmp_path / "other.parquet") == {}
    write_sealed(read(shards, "truth"), tmp_path / "other.parquet", {})
    assert stamp(tmp_path / "other.parquet") == {}
    write_sealed(read(shards, "truth"), shards.file("truth"), {})
    assert shards.state() == (0, [], [], ["truth"]), "it is there, but nobody knows whence"


def test_a_task_tells_what_is_to_be_made_and_what_it_costs(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    new = [judged.task for judged in judge(plan)]
    assert [task.block for task in new if task] == plan.blocks
    assert len({task.made_from for task in new if task}) == 4
    finished(tmp_path)
    shards_of(plan)[0].file("scores").unlink()
    shards_of(plan)[1].file("fits").unlink()
    rest = [judged.task for judged in judge(plan)]
    assert rest[2:] == [None, None]
    for task, before in zip(rest[:2], new[:2], strict=True):
        assert task is not None and before is not None
        assert task.made_from == before.made_from
    assert rest[0] and new[0] and rest[1] and new[1]
    assert 0 < rest[0].seconds < new[0].seconds, "without a fit it costs less"
    assert rest[1].seconds == new[1].seconds


def test_shards_of_a_block_have_one_path(tmp_path: Path) -> None:
    cell: dict[str, Any] = {"clusters": 5, "obs_per_cluster": 6, "between_cluster_sigma": 0.5}
    shards = Shards.of(planned(tmp_path).recipe, str(tmp_path), Block(cell, 2, 2))
    assert shards.file("fits") == Path(
        tmp_path, "fits/clusters=5/obs_per_cluster=6/between_cluster_sigma=0.5/sims=2-2.parquet"
    )


FLIPS = {"strategy": "two_stage", "test": "sign_flip", "name": "flips", "draws": 9}
BOOTSTRAP = {"strategy": "wild_cluster_bootstrap", "weights": "webb", "draws": 19}


def test_shards_hold_the_tests_of_truth_and_effects_of_what_resamples(tmp_path: Path) -> None:
    verdict = {"effects": [0.25, 1], "effect": 1}
    plan = finished(tmp_path, strategies=[BOOTSTRAP, FLIPS, *LABELS], verdict=verdict)
    tested = 0
    for shards in shards_of(plan):
        block = shards.block
        drawn = simulate(plan.recipe.process(block.cell), 1, block.cell, block.sims)
        estimates = read(shards, "estimates").to_pandas()
        for label, strategy in plan.recipe.chosen.items():
            mine = estimates[estimates["strategy"] == label]["p_value_nulls"].tolist()
            if label in LABELS:
                assert mine == [None] * drawn.truth.size
                continue
            # The response less what the null value says has no effect left: p-values of zero.
            for place, effect in enumerate((0.0, 0.25, 1.0)):
                for column in range(drawn.shard.p):
                    null = np.repeat(drawn.truth[:, column] - effect, drawn.shard.n_obs)
                    y = drawn.shard.y - drawn.shard.X[:, column] * null
                    expected = strategy.fit(replace(drawn.shard, y=y)).p_value[:, column]
                    found = np.array([row[place] for row in mine]).reshape(drawn.truth.shape)
                    assert np.array_equal(found[:, column], expected)
                    tested += expected.size
    assert tested == 2 * 3 * 4 * 2 * 3


def test_other_effects_fit_again_what_resamples_and_nothing_else(
    tmp_path: Path, fitted: list[str]
) -> None:
    strategies = [BOOTSTRAP, FLIPS, *LABELS]
    first = finished(tmp_path, strategies=strategies)
    before = {kind: rows(first, kind) for kind in KINDS}
    del fitted[:]
    verdict = {"effects": [0.3, 0.5], "effect": 0.5}
    other = planned(tmp_path, strategies=strategies, verdict=verdict)
    assert work_off(other) == 4
    assert fitted == ["flips", "wild_cluster_bootstrap"] * 4
    after = {kind: rows(other, kind) for kind in KINDS}
    assert bits(after["estimates"], LABELS) == bits(before["estimates"], LABELS)
    for kind in ("truth", "fits", "scores"):
        assert bits(after[kind]) == bits(before[kind])
    one, two = (t["estimates"].drop_columns(["p_value_nulls"]) for t in (before, after))
    assert bits(one) == bits(two)
    lengths = {len(row) for row in after["estimates"]["p_value_nulls"].to_pylist() if row}
    assert lengths == {3}
    del fitted[:]
    assert work_off(planned(tmp_path, strategies=list(LABELS), verdict=verdict)) == 0
    assert fitted == []


def test_the_statuses_of_the_fits_that_were_made_are_counted(tmp_path: Path) -> None:
    grid = {"clusters": [8], "obs_per_cluster": [5], "between_cluster_sigma": [0]}
    study = {"grid": grid, "sims": 30, "sims_per_shard": 30}
    plan = planned(tmp_path, **study, strategies=["cluster_robust", "mixed_intercept"])
    (block,) = plan.blocks
    made = make(plan.recipe, plan.folder, block)
    statuses = rows(plan, "fits")["status"].to_pylist()
    assert made == {status: statuses.count(status) for status in set(statuses)}
    assert sum(made.values()) == 60 and len(made) > 1
    assert make(plan.recipe, plan.folder, block) == {}, "nothing was left to be made"
    more = planned(tmp_path, **study, strategies=["ols", "cluster_robust", "mixed_intercept"])
    assert make(more.recipe, more.folder, block) == {"ok": 30}, "of the new strategy alone"

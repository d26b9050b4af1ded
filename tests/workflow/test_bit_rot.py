"""One flipped bit, in any file of a finished study, changes no number unnoticed."""

from __future__ import annotations

import contextlib
import json
import os
import random
from pathlib import Path

import pytest

from clustrategy.runtime.receipts import are_good, receipt_file
from clustrategy.steps.aggregate import aggregate
from clustrategy.study.config import load
from clustrategy.study.packs import read_packs
from clustrategy.study.plan import stored
from clustrategy.study.shards import judge, make
from clustrategy.study.study import Study
from tests.conftest import PERFORMANCE, SMALL, Checkout
from tests.workflow.test_content import contents

KINDS = ("truth", "estimates", "fits", "scores")
TRIALS = 200


def _study() -> Study:
    return Study.from_config({**load("config/config.yaml"), **SMALL})


def _tables_again(study: Study) -> None:
    """What a run does with shards: judge them, make what is not good, put them together."""
    plan = study.plan
    for block, judged in zip(plan.blocks, judge(plan), strict=True):
        if judged.task is not None:
            make(plan.recipe, plan.folder, block)
    tables = {kind: f"{study.folder}/{kind}.parquet" for kind in KINDS}
    tables |= {name: f"{study.folder}/{name}.csv" for name in ("sim_results", "sim_estimates")}
    aggregate(study.folder, **tables)


def _products(study: Study) -> dict[str, tuple[str, str]]:
    """The log and the origin of every file that has a receipt."""
    found = {}
    for path in Path(study.folder, "receipts").rglob("*.json"):
        log = str(path.with_suffix(".log")).replace("/receipts/", "/logs/")
        assert receipt_file(log) == path
        receipt = json.loads(path.read_text())
        for file in receipt["files"]:
            found[file] = (log, receipt["made_from"])
    return found


@pytest.mark.slow
def test_200_flipped_bits(finished: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same calls as a run's, without the 200 starts of Snakemake."""
    monkeypatch.chdir(finished.folder)
    study = _study()
    folder = Path(study.folder)
    whole = contents(folder)
    products = _products(study)
    plan, packs = stored(study.folder), read_packs(folder / "packs/packs.json")
    files = [path for path in whole if not path.startswith("logs") and path != ".lock"]
    assert {path.partition("/")[0] for path in files} >= {*KINDS, "receipts", "packs", "study.json"}
    draw = random.Random(11)
    noticed = dict.fromkeys(("shard", "product", "receipt", "plan"), 0)
    for trial in range(TRIALS):
        path = folder / draw.choice(files)
        before = path.read_bytes()
        if not before:
            continue
        damaged = bytearray(before)
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        sort = path.relative_to(folder).parts
        if str(path) in products:
            assert not are_good(*products[str(path)], [str(path)]), path
            noticed["product"] += 1
        elif sort[0] in KINDS:
            _tables_again(study)
            noticed["shard"] += 1
        elif sort[0] == "receipts":
            kept = [file for file, (log, _) in products.items() if receipt_file(log) == path]
            said = json.loads(before)
            with contextlib.suppress(ValueError):
                # White space may flip; what is said may not.
                if json.loads(bytes(damaged)) == said:
                    kept = []
            if kept:
                assert not are_good(*products[kept[0]], kept), path
            noticed["receipt"] += 1
        elif sort[0] == "study.json":
            assert stored(study.folder) in (None, plan)
            noticed["plan"] += 1
        elif sort[-1] == "packs.json":
            assert read_packs(path) in ({}, packs)
            noticed["plan"] += 1
        path.write_bytes(before) if sort[0] not in KINDS else None
        assert contents(folder) == whole, f"trial {trial}: {path}"
    assert noticed["shard"] > 40 and noticed["product"] > 20


@pytest.mark.slow
def test_a_bit_in_each_kind_of_file_through_snakemake(finished: Checkout) -> None:
    """Dates stay, and Snakemake's memory is gone: there is nothing but the content to go by."""
    here = finished
    before = contents(here.result(""))
    draw = random.Random(5)
    shards = [next(here.result(kind).rglob("*.parquet")) for kind in KINDS]
    others = [here.result(f"{kind}.parquet") for kind in KINDS]
    others += [here.result("performance.csv"), here.result("differences.parquet")]
    for path in (*shards, *others, here.result("study.json"), here.result("packs/packs.json")):
        content = bytearray(path.read_bytes())
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        dates = path.stat()
        path.write_bytes(content)
        os.utime(path, (dates.st_atime, dates.st_mtime))
    for path in here.folder.glob(".snakemake/metadata/*"):
        path.unlink()
    here.run(PERFORMANCE, config=SMALL)
    after = contents(here.result(""))
    same = {path: made for path, made in before.items() if not path.startswith(("logs", "packs"))}
    assert same.items() <= after.items()

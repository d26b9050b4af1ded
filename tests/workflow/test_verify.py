"""`snakemake verify` in its short form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustrategy.core.digests import file_digest
from tests.conftest import Checkout

SHORT = "verification-short"


@pytest.mark.slow
def test_what_is_known_is_found(checkout: Callable[..., Checkout]) -> None:
    here = checkout()
    run = here.run("verify_short")
    table = pd.read_parquet(here.result("verification.parquet", SHORT))
    assert (table["verdict"] == "agrees").all()
    assert set(table["kind"]) == {"exact", "published", "identity", "approximate"}
    z = table["z"].dropna()
    assert len(z) > 800
    assert 0.7 < (z**2).mean() ** 0.5 < 1.3
    text = here.result("verification.txt", SHORT).read_text()
    assert f"{len(table):,} known numbers, none differs" in text
    counted = [re.search(r": ([\d,]+)", line)[1].replace(",", "") for line in text.splitlines()[1:]]
    assert sum(map(int, counted)) == len(table)
    assert here.result("verification.png", SHORT).read_bytes().startswith(b"\x89PNG")
    assert len(pd.read_csv(here.result("verification.csv", SHORT))) == len(table)
    assert "Traceback" not in run.output
    assert "Nothing to be done" in here.run("verify_short").output

    # A number that is not the known one ends the run with a sentence; table and figure are there.
    path = here.result("verification.parquet", SHORT)
    rows = table.copy()
    rows.loc[rows["strategy"] == "CR1", ["z", "verdict"]] = [9.0, "differs"]
    schema = pq.read_schema(path)
    pq.write_table(pa.Table.from_pandas(rows, schema=schema, preserve_index=False), path)
    here.result("verification.txt", SHORT).unlink()
    receipt = here.result("receipts/verification_table.json", SHORT)
    content = json.loads(receipt.read_text())
    content["files"][str(path.relative_to(here.folder))] = file_digest(path)
    receipt.write_text(json.dumps(content))
    failed = here.run("verify_short", expect=1)
    said = [line for line in failed.output.splitlines() if line.startswith("clustrategy:")]
    assert said and all("known numbers differ, most of all" in line for line in said)
    assert not here.result("verification.txt", SHORT).exists()
    # Without such a receipt the table counts as damaged, and would be made again.
    receipt.unlink()
    assert "verification_table" in here.run("verify_short", "--dry-run").output

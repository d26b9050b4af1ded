"""Let R's packages and statsmodels analyse the tables of `own_tables`: see README.md."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import statsmodels.formula.api as smf

from tests.golden.own_tables import HERE, RANDOM, OwnTable, random_table, real_tables

WORKERS = 2


def by_r(tables: dict[str, OwnTable]) -> dict[str, Any]:
    """What R says of some tables."""
    with TemporaryDirectory() as folder:
        index = []
        for place, (name, table) in enumerate(tables.items()):
            table.data.to_csv(Path(folder, f"{place}.csv"), index=False)
            entry = {"name": name, "file": f"{place}.csv", "cluster": table.cluster}
            index.append(entry | {"fixed": table.fixed, "formula": table.formula})
        Path(folder, "index.json").write_text(json.dumps(index))
        subprocess.run(["Rscript", "--vanilla", HERE / "own_tables.R", folder], check=True)
        return json.loads(Path(folder, "found.json").read_text())


def by_statsmodels(table: OwnTable) -> dict[str, Any]:
    """Least squares with the clustered variance of statsmodels, which is Stata's."""
    words = re.findall(r"\w+", table.formula)
    rows = table.data[[name for name in map(str, table.data) if name in words]].dropna()
    model = smf.ols(table.fixed, rows)
    groups = rows[table.cluster].astype("category").cat.codes
    found = model.fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    joint = {}
    for term, places in model.data.model_spec.term_slices.items():
        rows_of_term = np.eye(len(found.params))[places]
        if len(rows_of_term) > 1:
            test = found.wald_test(rows_of_term, use_f=True, scalar=True)
            numbers = (test.statistic, test.df_num, test.df_denom)
            joint[term.name()] = [float(f"{value:.13g}") for value in numbers]
    return {
        "terms": list(found.params.index),
        "std_error": [float(f"{value:.13g}") for value in found.bse],
        "joint": joint,
    }


def main(names: list[str]) -> None:
    """Write own_tables.json.gz, or print what is found of the tables that are named."""
    tables = real_tables() | {str(number): random_table(number) for number in RANDOM}
    chosen = {name: tables[name] for name in names or tables}
    parts = [dict(list(chosen.items())[k::WORKERS]) for k in range(WORKERS)]
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(by_r, [part for part in parts if part]))
    found = {entry["name"]: entry for answer in answers for entry in answer["tables"]}
    for name, table in chosen.items():
        found[name]["CR1S"] = by_statsmodels(table)
    if names:
        json.dump(found, sys.stdout, indent=1)
        return
    versions = answers[0]["versions"] | {"statsmodels": version("statsmodels")}
    content = {"versions": versions, "tables": [found[name] for name in chosen]}
    text = json.dumps(content, separators=(",", ":"))
    (HERE / "own_tables.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main(sys.argv[1:])

"""A study of made-up fits, which fail at times, and what the step `performance` makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from clustrategy.core.fits import Fits
from clustrategy.steps.performance import performance as write_performance
from clustrategy.study.study import Study
from clustrategy.tables.cells import with_cell
from clustrategy.tables.datasets import truth_table
from clustrategy.tables.estimates import estimates_table, fits_table
from clustrategy.tables.files import write_parquet
from tests.conftest import SMALL

SIMS, TERMS = 40, ("(Intercept)", "IV1")
LABELS = ["A", "B", "C"]
CONFIG: dict[str, Any] = {
    **SMALL,
    "grid": {"clusters": [6], "obs_per_cluster": [6], "between_cluster_sigma": [0.5, 1]},
    "sims": SIMS,
    "sims_per_shard": 25,
    "dgp": {"predictors": 1, "coefficients": [0.0, 0.5]},
    "strategies": [
        {"strategy": "two_stage", "name": "A"},
        {"strategy": "ols", "name": "B"},
        {"strategy": "mixed_maximal", "name": "C"},
    ],
}


def fits_of(rng: np.random.Generator, label: str) -> Fits:
    """Made-up fits: A fails at times, C more often and does not estimate the slope."""
    fits = Fits.blank(SIMS, 2)
    fits.estimate[:] = [0.0, 0.5] + rng.normal(size=(SIMS, 2))
    fits.std_error[:] = np.sqrt(rng.chisquare(5, size=(SIMS, 2)) / 5)
    fits.df[:] = 5.0
    fits.status[::7] = "singular"
    sims = np.arange(SIMS)
    if label == "A":
        fits.fail(sims % 10 == 3, "undefined", "by design")
    if label == "C":
        # Its numbers stand in the table, but do not count.
        fits.status[sims % 6 == 1] = "not_converged"
        fits.estimate[:, 1] = np.nan
        fits.p_value[:, 0] = 0.5
    if label == "B":
        fits.fail(sims == 13, "error", "by design")
    return fits


def write_study(config: Mapping[str, Any] = CONFIG) -> tuple[Study, pd.DataFrame]:
    """Write a study's whole tables of made-up fits, and return its estimates with truth."""
    study = Study.from_config(config)
    rng = np.random.default_rng(5)
    parts: dict[str, list[pa.Table]] = {"estimates": [], "fits": [], "truth": []}
    for cell in study.cells:
        truth = np.tile([0.0, 0.5], (SIMS, 1))
        parts["truth"].append(with_cell(cell, truth_table(truth, TERMS, range(SIMS))))
        fits = {label: fits_of(rng, label) for label in LABELS}
        made = {
            "estimates": [
                estimates_table(of, TERMS, range(SIMS), label, "numpy")
                for label, of in fits.items()
            ],
            "fits": [fits_table(of, range(SIMS), label, "numpy") for label, of in fits.items()],
        }
        for name, parts_of_cell in made.items():
            whole = pa.concat_tables(parts_of_cell)
            order = np.argsort(whole["sim"].to_numpy(), kind="stable")
            parts[name].append(with_cell(cell, whole.take(order)))
    for name, cells in parts.items():
        write_parquet(pa.concat_tables(cells), f"{study.folder}/{name}.parquet", {})
    study.plan.write()
    estimates, glance = (
        pa.concat_tables(parts[name]).to_pandas() for name in ("estimates", "fits")
    )
    keys = [*study.factors, "sim", "strategy"]
    rows = estimates.merge(glance[[*keys, "status"]], on=keys, validate="m:1")
    return study, rows.assign(truth=rows["term"].map({"(Intercept)": 0.0, "IV1": 0.5}))


def perform(study: Study, **changed: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables `performance` and `differences` of a study whose whole tables are there."""
    names = ("performance", "differences")
    write_performance(
        study.folder,
        {**study.performance_settings, **changed},
        **{name: f"{study.folder}/{name}.parquet" for name in ("estimates", "fits", "truth")},
        **{name: f"{study.folder}/{name}.parquet" for name in names},
        **{f"{name}_csv": f"{study.folder}/{name}.csv" for name in names},
    )
    first, second = (pd.read_parquet(f"{study.folder}/{name}.parquet") for name in names)
    return first, second

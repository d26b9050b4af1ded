"""What is known beside what was found: its Monte Carlo errors, what is lost, what is rough."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from clustrategy.core.errors import DataError
from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy
from clustrategy.verification.cells import Cell
from clustrategy.verification.comparison import approximate, errors, exact
from clustrategy.verification.judgement import judge
from tests.verification.studies import BETWEEN, CELLS, SIMS, STRATEGIES, study, verdicts

SAID = {
    "bias": "bias is zero",
    "median_bias": "bias is zero",
    "empirical_se": "spread of estimates",
    "robust_se": "spread of estimates",
    "mse": "spread of estimates",
    "model_se": "mean variance estimate",
    "relative_error": "mean variance estimate",
    "variance_ratio": "mean variance estimate",
    "variance_df": "variance estimate's spread",
    "rejection_rate": "false-positive rate",
    "interval_width": "interval width",
    "coverage": "coverage",
}
TERMS = ("(Intercept)", "IV1", "IV2")

# How many numbers are known of each term; IV2 alone has an effect, and a coverage beside its power.
ALL, AGAIN, NONE = (11, 11, 12), (4, 4, 5), (0, 0, 0)
SIGNS = (1, 1, 0)
NOT_THE_INTERCEPT = (0, 11, 12)
DESIGNS = {
    "few clusters": BETWEEN,
    "between": replace(BETWEEN, clusters=30),
    "within": replace(BETWEEN, clusters=30, treatment="within", sigma_ratios=[1, 0, 0]),
    "within, slopes vary": replace(BETWEEN, clusters=30, treatment="within"),
}
KNOWN = {
    "ols": (ALL, ALL, ALL, ALL),
    # Their estimates are those of least squares, and counted there.
    "cluster_robust": (AGAIN, AGAIN, AGAIN, AGAIN),
    "gee": (AGAIN, AGAIN, AGAIN, AGAIN),
    "fixed_effects": (NONE, NONE, NOT_THE_INTERCEPT, NOT_THE_INTERCEPT),
    "two_stage": (ALL, ALL, ALL, ALL),
    "sign flips": (NONE, NONE, SIGNS, SIGNS),
    "sign flips, weighted": (NONE, NONE, NONE, NONE),
    "weighted": (NONE, NONE, NONE, NONE),
    "wild_cluster_bootstrap": (NONE, NONE, SIGNS, SIGNS),
    "wild bootstrap, null not imposed": (NONE, NONE, NONE, NONE),
    "wild bootstrap, Webb": (NONE, NONE, NONE, NONE),
    # With 15 clusters its variance is estimated as 0 too often. The df of its intercept vary with
    # the data, so that rate and width have no closed form, if they are used.
    "mixed_intercept": (NONE, ALL, (9, 11, 12), NOT_THE_INTERCEPT),
    "mixed_intercept KR": (NONE, AGAIN, (2, 4, 5), (0, 4, 5)),
    "mixed_intercept z": (NONE, AGAIN, AGAIN, (0, 4, 5)),
    "mixed_intercept CR2": (NONE, NONE, NONE, NONE),
    "mixed_maximal": (NONE, NONE, NONE, NONE),
}
ENTRIES = {
    "sign flips": {"strategy": "two_stage", "test": "sign_flip"},
    "sign flips, weighted": {
        "strategy": "two_stage",
        "weights": "precision",
        "test": "sign_flip",
    },
    "weighted": {"strategy": "two_stage", "weights": "precision"},
    "wild bootstrap, null not imposed": {
        "strategy": "wild_cluster_bootstrap",
        "impose_null": False,
    },
    "wild bootstrap, Webb": {"strategy": "wild_cluster_bootstrap", "weights": "webb"},
    "mixed_intercept KR": {"strategy": "mixed_intercept", "df": "kenward_roger"},
    "mixed_intercept z": {"strategy": "mixed_intercept", "df": "normal"},
    "mixed_intercept CR2": {"strategy": "mixed_intercept", "variance": "CR2"},
}


def test_each_strategy_is_held_against_all_that_is_known_of_it() -> None:
    """Counted by hand, as is the statement of each number."""
    cells = [Cell({"design": name}, process) for name, process in DESIGNS.items()]
    strategies = [
        Strategy.parse({**ENTRIES[label], "name": label} if label in ENTRIES else label)
        for label in KNOWN
    ]
    everything = pd.DataFrame(
        product(DESIGNS, KNOWN, TERMS, SAID), columns=["design", "strategy", "term", "measure"]
    )
    table = exact(cells, strategies, everything.assign(value=0.5, mcse=0.1, n=SIMS))

    counts = table.value_counts(["design", "strategy", "term"])
    assert counts.to_dict() == {
        (design, label, term): number
        for label, in_designs in KNOWN.items()
        for design, by_term in zip(DESIGNS, in_designs, strict=True)
        for term, number in zip(TERMS, by_term, strict=True)
        if number
    }
    assert not table.duplicated(["design", "strategy", "term", "measure"]).any()

    power = (table["measure"] == "rejection_rate") & (table["term"] == "IV2")
    assert table.loc[power, "statement"].eq("power").all()
    others = table[~power]
    assert others["statement"].tolist() == others["measure"].map(SAID).tolist()
    assert set(others["measure"]) == {*SAID}


def test_the_bound_is_that_of_the_number_of_rows() -> None:
    limit = stats.norm.isf(0.01 / (2 * 400))
    z = np.zeros(400)
    z[:4] = limit - 1e-6, -limit + 1e-6, limit + 1e-6, -limit - 1e-6
    rows = pd.DataFrame({"kind": "exact", "expected": 0.0, "found": z, "z": z})
    others = pd.DataFrame({"kind": ["identity"] * 50, "expected": 0, "found": 0, "tolerance": 0.1})
    verdicts_found = judge([rows, others])["verdict"].tolist()
    assert verdicts_found == [*["agrees"] * 2, *["differs"] * 2, *["agrees"] * 446]


def test_the_monte_carlo_errors_are_those_of_the_closed_forms() -> None:
    keys = ["treatment", "strategy", "term", "measure"]
    table = exact(CELLS, STRATEGIES, study()).set_index(keys)
    rate = table.loc[("within", "CR1", "IV1", "rejection_rate")]
    assert rate["expected"] == pytest.approx(0.05)
    assert rate["mcse"] == pytest.approx(np.sqrt(0.05 * 0.95 / SIMS))
    # Of 15 clusters' own differences, each with variance 1 + 2/2.
    spread = table.loc[("within", "ols", "IV1", "empirical_se")]
    assert spread["expected"] == pytest.approx(np.sqrt(2 / 15))
    assert spread["mcse"] == pytest.approx(np.sqrt(2 / 15) / np.sqrt(2 * SIMS))
    ratio = table.loc[("within", "CR1", "IV1", "variance_ratio")]
    assert ratio["mcse"] == pytest.approx(np.sqrt((2 / 14 + 2) / SIMS))


def test_a_lost_number_is_an_error_and_one_without_error_differs() -> None:
    performance = study()
    lost = performance[performance["measure"] != "variance_df"]
    with pytest.raises(DataError, match="lacks .* first of all variance_df of 'ols' for .Inter"):
        verdicts(lost)
    blank = judge([pd.DataFrame([{"kind": "exact", "expected": 0.0, "found": 0.0, "z": np.nan}])])
    assert blank["verdict"].tolist() == ["differs"]


def test_monte_carlo_errors_that_are_too_small_are_found_out() -> None:
    """As of a jackknife that lacks its factor n - 1."""
    performance = study()
    table = exact(CELLS, STRATEGIES, performance)
    keys = [*CELLS[0].factors, "strategy", "term", "measure"]
    right = performance.drop(columns="mcse").merge(table[[*keys, "mcse"]], on=keys, how="left")
    right["mcse"] *= 1.02
    for factor, verdicts_found in [(1.0, {"agrees"}), (1 / np.sqrt(SIMS), {"agrees", "differs"})]:
        mine = right["measure"] == "variance_ratio"
        scaled = right.assign(mcse=right["mcse"].where(~mine, factor * right["mcse"]))
        found = judge([errors(exact(CELLS, STRATEGIES, scaled))])
        assert set(found["verdict"]) == verdicts_found
        wrong = found.loc[found["verdict"] == "differs", "measure"]
        assert all("variance_ratio" in measure for measure in wrong)


def test_a_random_intercept_where_slopes_vary() -> None:
    process = Process(30, 25, 1.0, 1, [0, 0], 1.0, sigma_ratios=[1, 1])
    cell = Cell({"clusters": 30}, process)
    mine = {"strategy": "mixed_intercept", "term": "IV1", "measure": "coverage"}
    for coverage, verdict in [(0.377, "agrees"), (0.5, "differs")]:
        row = {**cell.factors, **mine, "value": coverage, "mcse": 0.007, "n": 5000}
        (found,) = judge([approximate([cell], STRATEGIES, pd.DataFrame([row]))]).to_dict("records")
        assert found["expected"] == pytest.approx(0.594, abs=5e-4)
        assert found["verdict"] == verdict

"""What an audit says of its findings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from clustrategy.audit.comparison import AUDIT, Audited, compare
from clustrategy.audit.report import Circumstances, by_cell, fault, lines
from clustrategy.engines.chosen import Strategy
from clustrategy.tables.cells import with_cell
from tests.material import random_shard

CELL = {"clusters": 12, "obs_per_cluster": 8, "between_cluster_sigma": 0.5}
SHARD = random_shard(3, sims=2, clusters=12, p=2, rows=8)


def audit(**changed: Any) -> pd.DataFrame:
    """The audit of two sims by two strategies, the first row of the first fit changed."""
    parts = [AUDIT.empty_table()]
    for name in ("cluster_robust", "mixed_maximal"):
        strategy = Strategy.parse(name)
        engine = "statsmodels" if name == "cluster_robust" else "lme4"
        table = compare(SHARD, [0, 1], Audited(strategy, strategy, [strategy]), strategy.fit(SHARD))
        place = table.column_names.index("reference")
        parts.append(table.set_column(place, "reference", pa.repeat(engine, len(table))))
    table = with_cell(CELL, pa.concat_tables(parts)).to_pandas()
    for name, value in changed.items():
        table.loc[table["sim"] == 1, name] = value
    return table


def test_the_columns_of_the_table() -> None:
    assert list(audit()) == [*CELL, *AUDIT.names]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"verdict": "engine_short", "reml_criterion": 3.5, "best_reml_criterion": 3.0},
            "its REML criterion is 0.5 above the least that was found",
        ),
        (
            {"verdict": "engine_failed", "status": "error"},
            "numpy says 'error' where statsmodels has a fit",
        ),
        ({"verdict": "differ", "reml_criterion": np.nan}, "numpy and statsmodels are apart"),
        (
            {"verdict": "differ", "reml_criterion": 1.0},
            "numpy and statsmodels are apart although both are at the optimum",
        ),
    ],
)
def test_a_fault_is_one_sentence_with_the_way_to_its_dataset(
    changed: dict[str, Any], sentence: str
) -> None:
    place = "clusters=12/obs_per_cluster=8/between_cluster_sigma=0.5/sim=1"
    assert fault(audit(**changed), "snakemake remade") == (
        "the audit found numpy at fault in 2 of 4 fits, first of all 'cluster_robust' in "
        f"{place}: {sentence}; to make this dataset and its fits again: "
        f"snakemake remade/{place}/dataset.csv"
    )


def test_an_audit_without_a_fault_says_what_it_found() -> None:
    table = audit()
    assert fault(table, "") is None
    said = lines(table, Circumstances("no glmm", ["OLS, CR2"], {"lme4": "1.1"}, ""))
    assert said[:4] == [
        "Audit: no fault found in 2 datasets fitted again by lme4 1.1.",
        "NOT AUDITED: no glmm.",
        "  no reference for: OLS, CR2",
        "  least squares: 2 fits, estimates within 0 and SEs within 0 of statsmodels' (relative)",
    ]
    assert said[5:7] == [
        "  lme4 stopped short of the optimum in 0 of 2 fits",
        "  lme4 warned although its optimum was right in 0 of 2 fits",
    ]


def test_the_summary_has_the_largest_distances_and_counts_fits() -> None:
    table = audit()
    mixed = (table["strategy"] == "mixed_maximal") & (table["sim"] == 1)
    table.loc[mixed, "verdict"] = "reference_short"
    table.loc[mixed, "reference_reml_criterion"] += 0.5
    slope = mixed & (table["term"] != "(Intercept)")
    table.loc[slope, "reference_df"] = 1.25 * table.loc[slope, "df"]
    row = by_cell(table).set_index("strategy").loc["mixed_maximal"]
    assert row["sims"] == 2 and row["agree"] == row["reference_short"] == 1
    assert row["max_df_difference"] == pytest.approx(0.25)
    assert row["max_estimate_difference"] == row["max_criterion_above_best"] == 0
    assert row["max_reference_criterion_above_best"] == pytest.approx(0.5)


def fit_rows(strategy: str, reference: str, sim: int, **numbers: Any) -> pd.DataFrame:
    """One audited fit made up by hand: an intercept that agrees, a slope that may not."""
    row: dict[str, Any] = {"estimate": 2.0, "std_error": 0.5, "df": 10.0, "p_value": 0.5}
    row |= {f"reference_{name}": value for name, value in row.items()}
    row |= {"status": "ok", "reference_status": "ok", "verdict": "agree"}
    row |= {"singular": False, "reference_singular": False}
    by_fit = {name: value for name, value in numbers.items() if name in AUDIT.names[13:]}
    both = pd.DataFrame([row, row | numbers]).assign(
        **by_fit, strategy=strategy, reference=reference, engine="numpy", sim=sim, term=["a", "b"]
    )
    return both.reindex(columns=[*CELL, *AUDIT.names]).assign(**CELL)


def made_up() -> pd.DataFrame:
    """Two fits by least squares, four by a mixed model with two references."""
    criteria = {"reml_criterion": 10.0, "best_reml_criterion": 10.0}
    away = {"reference_estimate": 2.02, "reference_std_error": 0.51, "reference_df": 10.3}
    short = {"verdict": "reference_short", "reference_status": "not_converged"}
    exact = {**criteria, "reference_reml_criterion": 10.0}

    def mixed(sim: int, **numbers: Any) -> pd.DataFrame:
        return fit_rows("m", "lme4", sim, **{**exact, **numbers})

    return pd.concat(
        [
            fit_rows("c", "statsmodels", 0, reference_estimate=2.06, reference_std_error=0.55),
            fit_rows("c", "statsmodels", 1, verdict="reference_failed", reference_estimate=9.0),
            mixed(0, **away, reference_p_value=0.54, reference_singular=True),
            mixed(
                1, **short, reference_reml_criterion=10.25, reference_std_error=0.4, singular=True
            ),
            mixed(
                2,
                verdict="reference_slack",
                reference_status="not_converged",
                reml_criterion=10.0 + 2e-7,
                reference_df=90.0,
                singular=True,
                reference_singular=True,
            ),
            mixed(3, **short, reference_reml_criterion=10.125, singular=True),
            *(
                fit_rows("m", "lme4_unbounded", sim, **exact, reference_singular=True)
                for sim in range(4)
            ),
        ],
        ignore_index=True,
    )


def test_the_numbers_of_the_lines_are_those_of_the_fits() -> None:
    circumstances = Circumstances("", [], {"lme4": "1.1", "statsmodels": "0.14"}, "")
    assert lines(made_up(), circumstances) == [
        "Audit: no fault found in 4 datasets fitted again by lme4 1.1, statsmodels 0.14.",
        "  least squares: 1 fits, estimates within 0.03 and SEs within 0.1 of statsmodels' "
        "(relative)",
        "  REML criterion: never above the least of all engines by more than 2e-07; at the same "
        "optimum estimates are within 0.01, SEs within 0.02, df within 3 %, p within 0.04",
        "  lme4 stopped short of the optimum in 2 of 4 fits: its criterion was up to 0.25 too "
        "high, its SEs up to 20 % off",
        "  lme4 warned although its optimum was right in 1 of 4 fits",
        "  singular to both: 1 fits; to lme4 alone 1, to the audited engine alone 2",
    ]


def test_without_mixed_models_or_references_there_are_no_lines_on_them() -> None:
    nothing = Circumstances("no R", [], {}, "")
    table = made_up()
    assert len(lines(table[table["strategy"] == "c"], nothing)) == 2
    assert lines(table[table["sim"] < 0], nothing) == ["NOT AUDITED: no R."]
    failed = table[(table["strategy"] == "c") & (table["sim"] == 1)]
    assert lines(failed, nothing) == ["NOT AUDITED: no R."]


def test_the_summary_counts_fits_by_verdict_and_singular_ones() -> None:
    summary = by_cell(made_up()).set_index(["strategy", "reference"])
    counts = ["sims", "agree", "reference_slack", "reference_short", "reference_failed"]
    singular = ["both_singular", "engine_alone_singular", "reference_alone_singular"]
    assert summary[[*counts, *singular]].to_dict("index") == {
        ("c", "statsmodels"): dict(
            zip([*counts, *singular], (2, 1, 0, 0, 1, 0, 0, 0), strict=True)
        ),
        ("m", "lme4"): dict(zip([*counts, *singular], (4, 1, 1, 2, 0, 1, 2, 1), strict=True)),
        ("m", "lme4_unbounded"): dict(
            zip([*counts, *singular], (4, 4, 0, 0, 0, 0, 0, 4), strict=True)
        ),
    }
    assert summary.loc[("m", "lme4"), "max_estimate_difference"] == pytest.approx(0.01)
    assert summary.loc[("m", "lme4"), "max_std_error_difference"] == pytest.approx(0.2)
    assert summary.loc[("m", "lme4"), "max_p_value_difference"] == pytest.approx(0.04)
    assert summary.loc[("m", "lme4"), "max_criterion_above_best"] == pytest.approx(2e-7)


@pytest.mark.parametrize(("verdict", "count"), [("differ", 1), ("engine_short", 1), ("agree", 0)])
def test_a_fault_counts_fits_and_not_their_coefficients(verdict: str, count: int) -> None:
    table = made_up()
    table.loc[(table["sim"] == 2) & (table["reference"] == "lme4"), "verdict"] = verdict
    said = fault(table, "") or "found numpy at fault in 0 of 10 fits"
    assert f"found numpy at fault in {count} of 10 fits" in said

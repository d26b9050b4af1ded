"""`fit`, as a user calls it, against R's packages and statsmodels on real and on random tables."""

from __future__ import annotations

import gzip
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from scipy.special import fdtrc, stdtr

from clustrategy.core.errors import RowsLeftOut
from clustrategy.owndata.analysis import Analysis
from clustrategy.owndata.fit import fit
from tests.golden.own_tables import HERE, RANDOM, OwnTable, petersen, random_table, real_tables

FOUND = json.loads(gzip.decompress((HERE / "own_tables.json.gz").read_bytes()))
BY_R = {entry["name"]: entry for entry in FOUND["tables"]}

LEAST_SQUARES = {
    "OLS": {"strategy": "ols"},
    "CR1S": {"strategy": "cluster_robust"},
    "CR2": {"strategy": "cluster_robust", "variance": "CR2", "df": "satterthwaite"},
    "fixed effects CR2": {
        "strategy": "fixed_effects",
        "variance": "CR2",
        "df": "satterthwaite",
    },
}
MIXED = {
    "mixed Kenward-Roger": {"strategy": "mixed", "df": "kenward_roger"},
    "mixed Satterthwaite": {"strategy": "mixed"},
    "mixed intercept CR2": {"strategy": "mixed_intercept", "variance": "CR2"},
}
STRATEGIES = LEAST_SQUARES | MIXED

# Of the criterion itself: where lme4 stops above this, it has not found the optimum.
OPTIMUM = 1e-8
# Least squares have nothing but rounding. A mixed model's numbers hang on theta, which lme4's
# criterion, good to 1e-10, tells to about its square root; conditional modes may be near 0.
RTOL = {"least squares": 1e-10, "mixed": 1e-6}


def own_analysis(table: OwnTable, labels: Sequence[str]) -> Analysis:
    entries = [STRATEGIES[label] | {"name": label} for label in labels]
    barred = any(entry["strategy"] == "mixed" for entry in entries)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RowsLeftOut)
        return fit(
            table.data,
            table.formula if barred else table.fixed,
            cluster=table.cluster,
            strategies=entries,
        )


def in_r(term: str) -> str:
    """The name that R gives a coefficient: `flow` for `f[T.low]`."""
    return "(Intercept)" if term == "Intercept" else re.sub(r"\[T\.([^]]*)\]", r"\1", term)


def numbers_of_r(entry: dict[str, Any], label: str) -> dict[str, Any]:
    """What the other software says of a strategy, by name."""
    if label == "OLS":
        return entry["ols"]
    if label == "CR1S":
        order = [in_r(term) for term in entry["CR1S"]["terms"]]
        error = dict(zip(order, entry["CR1S"]["std_error"], strict=True))
        joint = entry["CR1S"]["joint"]
        return {"std_error": [error[term] for term in entry["terms"]], "joint": joint}
    if label == "CR2":
        return entry["CR2"]
    if label == "fixed effects CR2":
        return entry["fixed_effects"]
    if label == "mixed intercept CR2":
        return entry["mixed_intercept"] | entry["mixed_intercept"]["CR2"]
    which = {"mixed Kenward-Roger": "kenward_roger", "mixed Satterthwaite": "satterthwaite"}
    return entry["mixed"] | entry["mixed"][which[label]]


def compare(
    name: str, table: OwnTable, labels: Sequence[str], *, joint_tests: bool = True
) -> Iterator[tuple[str, str]]:
    """Hold strategies to the other software; yield what could not be compared, and why."""
    entry = BY_R[name]
    analysis = own_analysis(table, labels)
    tidy, glance = analysis.tidy(), analysis.glance()
    joint = analysis.joint_tests() if joint_tests else None
    for label in labels:
        own = tidy[tidy["strategy"] == label]
        own = own.set_axis([in_r(term) for term in own["term"]])
        (row,) = glance[glance["strategy"] == label].to_dict("records")
        assert (row["nobs"], row["clusters"]) == (entry["rows"], entry["clusters"])
        theirs = numbers_of_r(entry, label)
        rtol = RTOL["mixed" if label in MIXED else "least squares"]

        def close(found, expected, what, atol=0.0, rtol=rtol, label=label):
            expected = np.array(expected, dtype=float)
            found = np.asarray(found, dtype=float)
            same = found.shape == expected.shape and np.allclose(
                found, expected, rtol=rtol, atol=atol, equal_nan=True
            )
            assert same, f"{what} by {label} of table {name}: {found}, expected {expected}"

        if label in MIXED:
            behind = row["reml_criterion"] - theirs["reml"]
            assert behind < OPTIMUM, (name, label)
            if behind < -OPTIMUM:
                yield label, f"lme4's criterion is {-behind:.2g} higher"
                continue
            close(row["sigma"], theirs["sigma"], "sigma")
            close(row["theta"], theirs["theta"], "theta", atol=1e-6)
            spread = [value for key, value in row.items() if key.startswith(("sd__", "cor__"))]
            spread = [value for value in spread if not np.isnan(value)]
            expected = [value for value in theirs["sd_cor"] if value is not None]
            close(spread, expected, "VarCorr", atol=1e-6 * row["sigma"])

        terms = entry["within"] if label == "fixed effects CR2" else entry["terms"]
        assert own["estimate"].notna().sum() == len(terms)
        own = own.loc[terms]
        estimates = theirs.get("estimate", entry["ols"]["estimate"])
        # An estimate may be anywhere near 0, but not nearer than its standard error tells.
        near = rtol * own["std_error"].max()
        close(own["estimate"], estimates, "estimates", atol=near)
        close(own["std_error"], theirs["std_error"], "standard errors")
        if "df" in theirs:
            close(own["df"], theirs["df"], "df")
        p = 2 * stdtr(own["df"], -abs(own["estimate"] / own["std_error"]))
        close(own["p_value"], p, "p-values")

        if joint is not None:
            tests = joint[joint["strategy"] == label].set_index("term")
            for term, expected in theirs.get("joint", {}).items():
                test = tests.loc[term, ["statistic", "num_df", "den_df"]].to_numpy(float)
                if expected[2] <= 0:  # pbkrtest's answer where Kenward and Roger have none
                    assert np.isnan(test).all()
                    continue
                close(test, expected, f"joint test of {term}")
                p = fdtrc(test[1], test[2], test[0])
                close(tests.loc[term, "p_value"], p, f"joint p-value of {term}")
        if label == "mixed Kenward-Roger":
            effects = analysis.cluster_coefficients()
            effects = effects[effects["strategy"] == label]
            error = effects["random_effect_std_error"]
            spread = max(row["sigma"], abs(effects["random_effect"]).max())
            close(effects["random_effect"], theirs["mode"], "ranef", atol=1e-6 * spread)
            close(error, theirs["mode_std_error"], "condVar", atol=1e-6 * row["sigma"])


REAL = real_tables()


@pytest.mark.parametrize("name", [name for name in REAL if name != "petersen"])
def test_real_tables(name):
    assert list(compare(name, REAL[name], list(STRATEGIES))) == []


def test_petersens_panel():
    assert list(compare("petersen", REAL["petersen"], list(STRATEGIES))) == []


@pytest.mark.parametrize(
    ("cluster", "published"),
    [("firm", ["0.0670", "0.0506"]), ("year", ["0.0234", "0.0334"])],
)
def test_the_standard_errors_that_petersen_published(cluster, published):
    """M. A. Petersen, test data and results for "Estimating standard errors ..." (2009)."""
    panel = petersen()._replace(bar=f"(1 | {cluster})")
    errors = own_analysis(panel, ["CR1S"]).tidy()["std_error"]
    assert [f"{error:.4f}" for error in errors] == published


CHUNKS = [RANDOM[start : start + 25] for start in RANDOM[::25]]


@pytest.mark.parametrize("numbers", CHUNKS, ids=lambda numbers: f"{numbers[0]}-{numbers[-1]}")
def test_random_tables(numbers):
    """A mixed model each; some least squares and joint tests, too, which cost more than they tell.

    Six tables in a row have every kind of factor, treatment and missing values.
    """
    for number in numbers:
        block = number // 6
        labels = [list(MIXED)[block % 3]]
        if block % 2:
            labels.append(list(LEAST_SQUARES)[block // 2 % 4])
        table = random_table(number)
        left_out = compare(str(number), table, labels, joint_tests=block % 4 == 1)
        assert list(left_out) == []


def test_every_random_table_was_analysed():
    assert list(BY_R) == [*REAL, *map(str, RANDOM)]


def test_where_kenward_and_roger_have_no_test():
    label = "mixed Kenward-Roger"
    assert BY_R["119"]["mixed"]["kenward_roger"]["joint"]["f"][2] < 0
    assert list(compare("119", random_table(119), [label])) == []
    tests = own_analysis(random_table(119), [label]).joint_tests().set_index("term")
    assert tests.loc["f", "message"] == "no degrees of freedom"


def test_df_where_lmertests_derivatives_are_not_accurate():
    """In table 87 theta is hardly determined, and lmerTest's df are off by 1e-5.

    These are of arithmetic with 60 digits: the optimum, second derivatives of the REML criterion by
    theta and sigma, and derivatives of the variances, by differences of 1e-15.
    """
    precise = [37.15287784, 37.74139605, 34.29158514, 30.27154509, 36.75611915, 37.13784376]
    label = "mixed Satterthwaite"
    df = own_analysis(random_table(87), [label]).tidy()["df"]
    np.testing.assert_allclose(df, precise, rtol=1e-9)
    by_lmertest = BY_R["87"]["mixed"]["satterthwaite"]["df"]
    assert 1e-5 < np.max(np.abs(by_lmertest / df - 1)) < 2e-5

"""Distributions of p-values."""

from __future__ import annotations

import numpy as np
import pandas as pd
from statsmodels.distributions.empirical_distribution import ECDF

from clustrategy.figures.p_value_ecdf import LEVELS, distributions
from clustrategy.figures.parts.frame import words_on
from clustrategy.figures.parts.study import Study
from tests.figures.drawn import figure_of
from tests.figures.tables import (
    CLUSTER_LEVEL,
    DGP,
    SIMS,
    STRATEGIES,
    STUDY,
    WITHIN,
    Given,
    make_estimates,
)

NULL = pd.DataFrame({"term": ["IV1", "IV3"]})


def test_distributions_of_p_values_are_those_of_statsmodels():
    estimates = make_estimates()
    found = distributions(Given(estimates), NULL, Study(STUDY, [], {"dgp": DGP}))
    terms = {WITHIN: "IV1", CLUSTER_LEVEL: "IV3"}
    assert len(found) == 2 * 2 * 3 * 2
    for _, row in found.iterrows():
        mine = estimates[
            (estimates["clusters"] == row["clusters"])
            & (estimates["obs_per_cluster"] == row["obs_per_cluster"])
            & (estimates["strategy"] == row["strategy"])
            & (estimates["term"] == terms[row["kind"]])
        ]["p_value"].dropna()
        assert row["n"] == len(mine) and row["terms"] == 1
        np.testing.assert_allclose(row["share"], ECDF(mine)(LEVELS), atol=1e-12)


def test_a_p_value_on_a_level_is_at_or_below_it():
    estimates = make_estimates().assign(p_value=float(LEVELS[25]))
    share = distributions(Given(estimates), NULL[:1], Study(STUDY, [], {"dgp": DGP}))["share"][0]
    assert share[24] == 0 and share[25] == 1


def test_p_values_of_alike_slopes_are_pooled_and_their_lines_drawn():
    estimates = make_estimates()
    dgp = {**DGP, "predictor_icc": 0}
    figure = figure_of("p_value_ecdf", None, estimates, dgp=dgp)
    found = distributions(Given(estimates), NULL, Study(STUDY, [], {"dgp": dgp}))
    assert set(found["terms"]) == {2} and found["n"].max() == 2 * 3 * SIMS
    assert len(figure.axes) == len(STRATEGIES)
    for axes, strategy in zip(figure.axes, STRATEGIES, strict=True):
        lines = [line for line in axes.lines if len(line.get_xdata()) == len(LEVELS)]
        mine = found[found["strategy"] == strategy]
        for line, share in zip(lines, mine["share"], strict=True):
            np.testing.assert_allclose(line.get_ydata() + LEVELS, share)


def test_the_title_is_about_the_level_of_the_tests():
    estimates = make_estimates()
    rank = estimates["sim"] / SIMS
    estimates["p_value"] = rank.where(estimates["strategy"] != "two_stage", rank / 10)
    # Of sims 0 to 11, p-values of two_stage are at or below 0.05 to sim 6, of others sim 0 alone;
    # mixed_maximal lost that one, which is now there again.
    title = words_on(figure_of("p_value_ecdf", None, estimates)).title
    assert title == (
        "58.3 % of the p-values of two-stage are below 0.05 where it is worst, 8.33 % of "
        "cluster-robust OLS"
    )


def test_only_p_values_of_the_cells_in_which_a_slope_is_zero_count():
    parts = [make_estimates().assign(coefficients=level) for level in ("0,0,0,0", "0,0,0.3,0")]
    null = pd.DataFrame(
        {"coefficients": ["0,0,0,0", "0,0,0,0", "0,0,0.3,0"], "term": ["IV1", "IV2", "IV1"]}
    )
    factors = [*STUDY, "coefficients"]
    found = distributions(Given(pd.concat(parts)), null, Study(factors, [], {"dgp": DGP}))
    terms = found.groupby("coefficients")["terms"].unique().to_dict()
    assert {level: list(count) for level, count in terms.items()} == {
        "0,0,0,0": [2],
        "0,0,0.3,0": [1],
    }

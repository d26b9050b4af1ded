"""The sentences on rows, clusters and how alike the rows of a cluster are; numbers by lme4."""

from __future__ import annotations

import pandas as pd
import pytest

from clustrategy.core.errors import RowsLeftOut
from clustrategy.owndata.fit import fit
from tests.material import sleepstudy, table


def said(data: pd.DataFrame, formula: str) -> str:
    return fit(data, formula, cluster="Subject", strategies=["ols"]).summary.design


def unbalanced() -> pd.DataFrame:
    rows = table()[table()["dataset"] == "sleepstudy-unbalanced"]
    return rows.rename(columns={"y": "Reaction", "x1": "Days", "cluster": "Subject"})


def test_clusters_of_one_size():
    """lmer(Reaction ~ 1 + (1 | Subject), sleepstudy), and with Days."""
    assert said(sleepstudy(), "Reaction ~ Days") == (
        "180 rows in 18 clusters of 10 rows each. The intraclass correlation of Reaction is 0.39, "
        "given the predictors 0.59."
    )


def test_clusters_of_several_sizes():
    assert said(unbalanced(), "Reaction ~ Days") == (
        "147 rows in 18 clusters of 4 to 9 rows (median 9, coefficient of variation 0.17). "
        "The intraclass correlation of Reaction is 0.49, given the predictors 0.66."
    )


@pytest.mark.parametrize("formula", ["Reaction ~ 1", "Reaction ~ 0 + Days"])
def test_without_predictors_or_an_intercept_it_is_the_responses_alone(formula):
    text = said(unbalanced(), formula)
    assert text.endswith(
        "(median 9, coefficient of variation 0.17). " + "The intraclass "
        "correlation of Reaction is 0.49."
    )


def test_where_there_is_none_nothing_is_said_of_it():
    data = unbalanced()
    text = said(data.assign(Reaction=1e160 * data["Reaction"]), "Reaction ~ Days")
    assert text.endswith("(median 9, coefficient of variation 0.17).")


def test_rows_left_out_are_counted():
    data = sleepstudy()
    data.loc[0, "Reaction"] = None
    with pytest.warns(RowsLeftOut):
        text = said(data, "Reaction ~ Days")
    assert "variation 0.024), 1 left out. The intraclass" in text

"""Joint tests of the terms of a formula, by several strategies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clustrategy.design.from_table import Design
from clustrategy.engines.chosen import Strategy

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["strategy", "engine", "term", "num_df", "den_df", "statistic", "p_value", "message"]
NOT_TESTED = "not tested"


def joint_tests(design: Design, strategies: Sequence[Strategy], tidy: pd.DataFrame) -> pd.DataFrame:
    """Test all coefficients of each term of the formula together.

    Parameters
    ----------
    design : Design
        The table.
    strategies : sequence of Strategy
        Those that were fitted to it.
    tidy : DataFrame
        What they found. The test of a term of one coefficient is the one that it has there.

    Returns
    -------
    DataFrame
        As `Analysis.joint_tests` has it.
    """
    import pandas as pd

    several = [term for term, columns in design.terms.items() if len(columns) > 1]
    groups = [np.asarray(design.terms[term]) for term in several]
    single = {(row["strategy"], row["term"]): row for row in tidy.to_dict("records")}
    rows = []
    for strategy in strategies:
        tests = strategy.joint_tests(design.shard, groups) if groups else None
        for term, columns in design.terms.items():
            found: dict[str, Any]
            if tests is not None and term in several:
                place = several.index(term)
                found = {
                    "num_df": tests.num_df[0, place],
                    "den_df": tests.den_df[0, place],
                    "statistic": tests.statistic[0, place],
                    "p_value": tests.p_value[0, place],
                    "message": tests.message[0, place],
                }
            else:
                own = single[strategy.label, design.shard.terms[columns[0]]]
                tested = np.isfinite(own["p_value"])
                found = {
                    "num_df": 1.0 if tested else np.nan,
                    "den_df": own["df"],
                    "statistic": own["statistic"] ** 2,
                    "p_value": own["p_value"],
                    "message": own["message"] if tested or own["message"] else NOT_TESTED,
                }
            rows.append(
                {"strategy": strategy.label, "engine": strategy.engine, "term": term, **found}
            )
    return pd.DataFrame(rows, columns=COLUMNS)

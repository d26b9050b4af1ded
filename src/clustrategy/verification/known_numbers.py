"""All that is known about a verification study, beside what the study found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from clustrategy.study.study import Study
from clustrategy.verification.cells import cells_of
from clustrategy.verification.comparison import approximate, complete, errors, exact
from clustrategy.verification.identities import Fitted, identities
from clustrategy.verification.published_rates import published


def known_numbers(
    study: Study, performance: pd.DataFrame, fitted: Iterable[Mapping[str, Fitted]]
) -> list[pd.DataFrame]:
    """Return the rows of a study, for `judgement.judge`.

    Parameters
    ----------
    study : Study
        The verification study.
    performance : DataFrame
        Its table of that name.
    fitted : Iterable of Mapping of str to Fitted
        What each strategy made of each cell, in the order of cells; one is in memory at a time.
    """
    cells, strategies = cells_of(study), study.strategies
    table = performance[performance["handling"] == "case_wise"]
    known = exact(cells, strategies, table)
    return [
        known,
        published(cells, strategies, table),
        approximate(cells, strategies, table),
        errors(known),
        complete(known, strategies, study.sims),
        *(
            identities(cell, strategies, by_label)
            for cell, by_label in zip(cells, fitted, strict=True)
        ),
    ]

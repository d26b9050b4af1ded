"""The page of a study yet to come: how many clusters, by which strategy, and what is supposed."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from clustrategy import __version__
from clustrategy.core.words import number
from clustrategy.figures.parts.files import quiet, save
from clustrategy.figures.planning.power_by_clusters import power_by_clusters
from clustrategy.owndata.summary import Table
from clustrategy.planning.outcome import Plan
from clustrategy.planning.words import heads_and_lines, percent
from clustrategy.report.environment import page_environment
from clustrategy.report.pictures import Picture, picture

if TYPE_CHECKING:
    import pandas as pd


SHARES = ("power", "conf_low", "conf_high", "false_positive_rate")
"""Columns that are shown as percentages."""

CURVES = {
    "strategy": "strategy",
    "clusters": "clusters",
    "power": "power",
    "conf_low": "95 % from",
    "conf_high": "to",
    "false_positive_rate": "false positives",
    "sims": "studies",
}
"""Columns of the curves, and what the page calls them."""


def plan_page(plan: Plan) -> str:
    """Return the page of a plan, as HTML that needs no other file.

    Parameters
    ----------
    plan : Plan
    """
    environment = page_environment()
    heads, lines = heads_and_lines(plan.ranked, plan.trials)
    costs = plan.costs()
    return environment.get_template("plan.html").render(
        words=plan.words,
        version=__version__,
        answers=Table("How many clusters, by strategy", heads, lines),
        costs=_table("Clusters and costs by rows of a cluster", costs) if len(costs) else None,
        curves=_table("Power and false positives", plan.curves().rename(columns=CURVES)),
        picture=_picture(plan),
    )


def _picture(plan: Plan) -> Picture:
    with quiet(), TemporaryDirectory() as folder:
        files = [Path(folder, f"power_by_clusters.{ending}") for ending in ("svg", "png")]
        save(power_by_clusters(plan), files)
        return picture(*files)


def _table(title: str, frame: pd.DataFrame) -> Table:
    shares = [name in {CURVES.get(one, one) for one in SHARES} for name in frame.columns]
    body = [
        [_text(value, share) for value, share in zip(row, shares, strict=True)]
        for row in frame.itertuples(index=False)
    ]
    return Table(title, [str(name) for name in frame.columns], body)


def _text(value: object, share: bool) -> str:
    if isinstance(value, float | np.floating):
        known = float(value)
        if share:
            return percent(known, 1)
        return f"{known:,.0f}" if known >= 100 else number(known)
    return f"{value:,}" if isinstance(value, int | np.integer) else str(value)

"""The page of a table of one's own: the answer, every term, the clusters and the models."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from clustrategy import __version__
from clustrategy.core.words import number
from clustrategy.figures.own_data.plot import FIGURES, plot
from clustrategy.figures.parts.files import quiet, save
from clustrategy.owndata.analysis import Analysis
from clustrategy.owndata.summary import Table
from clustrategy.report.pictures import Picture, picture

if TYPE_CHECKING:
    import pandas as pd

TEMPLATES = Path(__file__).parent / "templates"

DESIGN: dict[str, dict[str, str]] = {
    "Where each predictor varies": {
        "term": "term",
        "varies_in": "varies in clusters",
        "between_share": "share of its variance between clusters",
        "treated_clusters": "clusters that have it",
        "untreated_clusters": "clusters that do not",
        "effective_clusters": "effective clusters",
        "effective_clusters_rho999": "effective clusters, errors that correlate by .999",
    },
    "What single clusters have to say": {
        "term": "term",
        "largest_partial_leverage": "largest partial leverage",
        "largest_partial_leverage_cluster": "of cluster",
        "largest_influence": "largest change of the estimate",
        "largest_influence_cluster": "without cluster",
    },
    "Slopes within clusters and between their means": {
        "term": "term",
        "within_slope": "slope within",
        "between_slope": "slope between",
        "mundlak_p_value": "p-value of within = between",
    },
}
"""Tables of the design that the page shows: their columns, and what it calls them."""

LEFT_OUT = ("engine", "message", "nobs", "clusters", "rows_left_out", "left_out", "theta")
"""Columns of `glance` that the page says elsewhere, or not at all."""


def analysis_page(analysis: Analysis, source: str = "") -> str:
    """Return the page of an analysis, as HTML that needs no other file.

    Parameters
    ----------
    analysis : Analysis
    source : str
        The file that the table was read from.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    design = analysis.design()
    glance = analysis.glance()
    glance = glance[glance["sigma"].notna()].drop(columns=list(LEFT_OUT))
    return environment.get_template("analysis.html").render(
        it=analysis.summary,
        version=__version__,
        source=Path(source).name,
        pictures=_pictures(analysis),
        design=[
            _table(title, _known(design[list(names)]).rename(columns=names))
            for title, names in DESIGN.items()
            if design[list(names)[1:]].notna().any(axis=None)
        ],
        models=_table("Residuals and random effects", glance.dropna(axis="columns", how="all")),
    )


def _pictures(analysis: Analysis) -> list[Picture]:
    """Draw the figures of the page."""
    found = []
    with quiet(), TemporaryDirectory() as folder:
        for name in FIGURES:
            files = [Path(folder, f"{name}.{ending}") for ending in ("svg", "png")]
            save(plot(analysis, name), files)
            found.append(picture(*files))
    return found


def _known(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows and columns that say something beside the term."""
    there = table.drop(columns="term").notna()
    return table.loc[there.any(axis=1)].dropna(axis=1, how="all")


def _table(title: str, frame: pd.DataFrame) -> Table:
    body = [[_text(value) for value in row] for row in frame.itertuples(index=False)]
    return Table(title, [str(name) for name in frame.columns], body)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, float | np.floating):
        known = float(value)
        whole = known.is_integer() and abs(known) < 1e6
        return f"{known:.0f}" if whole else number(known)
    return "" if value is None else str(value)

"""The page of a table of one's own: the answer, every term, the clusters and the models."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from clustrategy import __version__
from clustrategy.figures.own_data.plot import FIGURES, plot
from clustrategy.figures.parts.files import quiet, save
from clustrategy.owndata.analysis import Analysis
from clustrategy.report.design_tables import (
    INFLUENCE,
    LEVERAGE,
    SLOPES,
    VARIES,
    design_tables,
    frame_table,
)
from clustrategy.report.environment import page_environment
from clustrategy.report.pictures import Picture, picture

DESIGN = {
    "Where each predictor varies": VARIES,
    "What single clusters have to say": {**LEVERAGE, **INFLUENCE},
    "Slopes within clusters and between their means": SLOPES,
}
"""Tables of the design that the page shows."""

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
    environment = page_environment()
    glance = analysis.glance()
    glance = glance[glance["sigma"].notna()].drop(columns=list(LEFT_OUT))
    return environment.get_template("analysis.html").render(
        it=analysis.summary,
        version=__version__,
        source=Path(source).name,
        pictures=_pictures(analysis),
        design=design_tables(analysis.design(), DESIGN),
        models=frame_table(
            "Residuals and random effects", glance.dropna(axis="columns", how="all")
        ),
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

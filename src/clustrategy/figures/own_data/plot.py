"""A figure of an analysis by its name."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from clustrategy.core.errors import ConfigError, nearest
from clustrategy.figures.own_data.clusters import clusters
from clustrategy.figures.own_data.forest import forest
from clustrategy.figures.own_data.leverage import leverage
from clustrategy.figures.own_data.shrinkage import shrinkage
from clustrategy.owndata.analysis import Analysis

FIGURES: dict[str, Callable[[Analysis], Figure]] = {
    "forest": lambda it: forest(it.tidy(), set_aside=it.reliance.reasons),
    "clusters": lambda it: clusters(it.given),
    "leverage": lambda it: leverage(it.leverage(), it.design(), it.tidy()),
    "shrinkage": lambda it: shrinkage(it.cluster_coefficients(), it.tidy()),
}
"""In the order of the page."""


def plot(analysis: Analysis, figure: str = "forest") -> Figure:
    """Draw a figure of an analysis.

    Parameters
    ----------
    analysis : Analysis
        As `fit` returns it.
    figure : str
        `forest`: every term by every strategy, with 95 % intervals; `clusters`: their sizes, and
        each one's own regression beside that over all rows; `leverage`: how much each cluster has
        to say, and the estimates without it; `shrinkage`: the clusters' own coefficients, and what
        the mixed model makes of them.

    Returns
    -------
    matplotlib.figure.Figure
        Its title says what it shows.

    Raises
    ------
    ConfigError
        If there is no such figure.

    Examples
    --------
    >>> from clustrategy import fit, plot
    >>> data = {"y": [1.0, 2, 3, 2, 4, 4], "x": [0, 1, 0, 1, 0, 1], "g": [1, 1, 2, 2, 3, 3]}
    >>> plot(fit(data, "y ~ x", cluster="g"), "forest").savefig("forest.png")  # doctest: +SKIP
    """
    if figure not in FIGURES:
        known = list(FIGURES)
        raise ConfigError(
            f"figure must be one of {', '.join(known)}, found {figure!r}{nearest(figure, known)}"
        )
    return FIGURES[figure](analysis)

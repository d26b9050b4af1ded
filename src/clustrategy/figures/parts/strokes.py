"""Many lines of one look as a single path, which keeps files small and drawing fast."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import ArrayLike


def strokes(axes: Axes, x: ArrayLike, y: ArrayLike, **style: Any) -> None:
    """Draw lines, or areas with ``fill=True``, but not those with a point that is not finite.

    The points of each line are `x` and `y` of shape (lines, points); the style is a patch's.
    """
    points = np.stack(np.broadcast_arrays(x, y), axis=-1).astype(float)
    points = points[np.isfinite(points).all(axis=(1, 2))]
    if not len(points):
        return
    codes = np.full(points.shape[:2], Path.LINETO)
    codes[:, 0] = Path.MOVETO
    path = Path(points.reshape(-1, 2), codes.ravel())
    path.should_simplify = False
    axes.add_artist(PathPatch(path, **{"fill": False, "capstyle": "butt", **style}))
    axes.update_datalim(path.vertices)


def dots(axes: Axes, x: ArrayLike, y: ArrayLike, points: float, **style: Any) -> None:
    """Draw round marks, ``points`` wide, on a linear y axis: lines as short as can be."""
    ends = np.asarray(y, dtype=float)[:, None] + 0.002 * np.array([-1, 1])
    cap = {"linewidth": points, "capstyle": "round", "snap": False}
    strokes(axes, np.asarray(x, dtype=float)[:, None], ends, **cap, **style)

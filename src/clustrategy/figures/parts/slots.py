"""Places for marks that stand side by side at a level of the x axis."""

from __future__ import annotations

import numpy as np

GROUP_WIDTH = 0.86
MAX_SLOT = 0.4


def slots(levels: int, count: int) -> tuple[np.ndarray, float]:
    """Place ``count`` marks side by side at each of the levels 0, 1, ...

    Returns
    -------
    centres : ndarray of shape (levels, count)
        The x positions.
    width : float
        Width of one slot.
    """
    width = min(GROUP_WIDTH / count, MAX_SLOT)
    offsets = (np.arange(count) - (count - 1) / 2) * width
    return np.arange(levels)[:, None] + offsets, width

"""Places for marks that stand side by side at a level of the x axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes

from clustrategy.figures.parts.style import BAND

GROUP_WIDTH = 0.86
MAX_SLOT = 0.4


def slots(levels: int, count: int) -> tuple[np.ndarray, float]:
    """Return the places of ``count`` marks at each level, of shape (levels, count), and a width."""
    width = min(GROUP_WIDTH / count, MAX_SLOT)
    offsets = (np.arange(count) - (count - 1) / 2) * width
    return np.arange(levels)[:, None] + offsets, width


def name_levels(panels: Iterable[Axes], labels: Sequence[str], crowded: bool) -> None:
    """Name the levels 0, 1, ... below panels, upright where crowded; shade every other one."""
    for axes in panels:
        axes.set_xlim(-0.5, len(labels) - 0.5)
        axes.set_xticks(range(len(labels)), labels)
        axes.tick_params(axis="x", length=0, rotation=90 if crowded else 0)
        for level in range(0, len(labels), 2):
            axes.axvspan(level - 0.5, level + 0.5, color=BAND, linewidth=0, zorder=-1)

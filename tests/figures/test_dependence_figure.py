"""Repeated measures."""

from __future__ import annotations

import numpy as np

from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import figure_of
from tests.figures.tables import make_dependence


def test_dependence_writes_slopes_of_opposite_sign_for_simpsons_paradox():
    table = make_dependence()
    part = table[table["panel"] == "simpson"]
    pooled = np.polyfit(part["x"], part["y"], 1)[0]
    within = [np.polyfit(mine["x"], mine["y"], 1)[0] for _, mine in part.groupby("person")]
    assert pooled < 0 < min(within)
    written = figure_of("dependence", table).axes[2].texts[0].get_text()
    said = f"all points {pooled:+.2f}\nwithin " + ", ".join(f"{s:+.2f}" for s in within)
    assert written == said.replace("-", "−")
    title = (
        f"Ignoring who was measured turns three positive slopes ({min(within):+.2f} to "
        f"{max(within):+.2f}) into a negative one ({pooled:+.2f})"
    )
    assert words_on(figure_of("dependence", table)).title == title.replace("-", "−")

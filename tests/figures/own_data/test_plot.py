"""Figures of an analysis by their names."""

from __future__ import annotations

import pytest

from clustrategy import fit, plot
from clustrategy.core.errors import ConfigError
from clustrategy.figures.own_data.plot import FIGURES
from tests.material import sleepstudy


def test_every_figure_of_an_analysis_has_a_title_of_its_own():
    analysis = fit(sleepstudy(), "Reaction ~ Days + (Days | Subject)")
    titles = {name: plot(analysis, name).texts[0].get_text() for name in FIGURES}
    assert list(titles) == ["forest", "clusters", "leverage", "shrinkage"]
    assert len(set(titles.values())) == 4
    # The mixed model that is drawn is the one whose random effects were named.
    assert "mixed as given" in " ".join(
        text.get_text() for text in plot(analysis, "shrinkage").texts
    )


def test_a_figure_that_is_not_there_is_one_sentence():
    analysis = fit(sleepstudy(), "Reaction ~ Days", cluster="Subject", strategies=["ols"])
    with pytest.raises(ConfigError, match=r"^figure must be one of .*, found 'forst' \(did you me"):
        plot(analysis, "forst")

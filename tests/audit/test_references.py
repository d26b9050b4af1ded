"""Which engines audit a strategy, and what happens where they are missing."""

from __future__ import annotations

from clustrategy.audit.references import audited, plan, references
from clustrategy.engines import lme4
from clustrategy.engines.chosen import Strategy


def test_references_are_those_that_have_the_strategy_with_its_options():
    def engines(entry) -> list[str]:
        return [r.engine for r in references(Strategy.parse(entry), "lme4")]

    assert engines("mixed_maximal") == ["lme4", "lme4_unbounded"]
    assert engines("two_stage") == ["statsmodels"]
    assert engines({"strategy": "cluster_robust", "variance": "CR2"}) == []
    other = references(Strategy.parse("mixed_intercept"), "glmm")
    assert [r.engine for r in other] == ["glmm"]


def test_a_study_by_the_reference_is_audited_by_the_default_engine():
    assert audited(Strategy.parse("mixed_maximal", "lme4"), "lme4").engine == "numpy"
    assert audited(Strategy.parse("mixed_maximal", "glmm"), "lme4").engine == "glmm"
    assert audited(Strategy.parse("mixed_maximal", "glmm"), "glmm").engine == "numpy"


def test_where_r_is_missing_the_rest_is_audited_all_the_same(monkeypatch):
    def no_r() -> dict[str, str]:
        raise FileNotFoundError

    monkeypatch.setattr(lme4, "installed", no_r)
    strategies = [Strategy.parse("two_stage"), Strategy.parse("mixed_maximal")]
    entries, missing = plan(strategies, "lme4")
    assert [entry["engine"] for entry in entries["two_stage"]] == ["statsmodels"]
    assert entries["mixed_maximal"] == []
    assert "needs R, which is not here" in missing

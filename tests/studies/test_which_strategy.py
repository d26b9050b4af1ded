"""The page which-strategy: its study's configs, and how strategies stand in some cells."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from snakemake.utils import update_config
from studies.which_strategy import page as pages
from studies.which_strategy import regions
from studies.which_strategy.collection import COLUMNS, VERDICTS, read
from studies.which_strategy.evidence import WITHIN, Evidence, best
from studies.which_strategy.parts import REPO, RESAMPLED, VIOLATIONS, studies
from studies.which_strategy.strategies import STRATEGIES

from clustrategy.study.config import load
from clustrategy.study.study import Study


def configured(configs: tuple[Any, ...]) -> Study:
    files = [str(REPO / file) for file in ("config/config.yaml", *configs)]
    config: dict[str, Any] = {}
    for file in files:
        update_config(config, load(file))
    return Study.from_config(config, files)


@pytest.fixture(scope="module")
def found() -> dict[str, Study]:
    return {one.name: configured(one.configs) for one in studies()}


def test_the_parts_have_the_cells_and_sims_that_the_page_says(found: dict[str, Study]) -> None:
    cells = {"": 108, "-imbalance": 36, "-violations": 32, "-little-variation": 8}
    assert {name: (len(one.cells), one.sims) for name, one in found.items()} == {
        f"which-strategy{part}{more}": (count, sims)
        for part, count in cells.items()
        for more, sims in (("", 10_000), (f"-{RESAMPLED}", 4_000))
    }
    assert {one.seed for one in found.values()} == {20261128}


def test_the_page_has_words_for_every_strategy_and_violation(found: dict[str, Study]) -> None:
    labels = {strategy.label for one in found.values() for strategy in one.strategies}
    assert labels == {*STRATEGIES}
    assert {*pages.WITHIN_SHOWN, *pages.BETWEEN_SHOWN} <= labels
    assert {*found[f"which-strategy-{VIOLATIONS}"].levels["mechanism"]} == {*pages.VIOLATED}
    for strategy in STRATEGIES.values():
        assert (REPO / f"docs/strategies/{strategy.page}.md").is_file()


def verdict(strategy: str, G: float, measure: str, value: float, **more: Any) -> dict[str, Any]:
    row = dict.fromkeys(COLUMNS)
    row |= {"part": "core", "study": "which-strategy", "kind": WITHIN, "scope": "cell", "n": 100}
    row |= {"strategy": strategy, "clusters": G, "measure": measure, "value": value, "mcse": 0.002}
    return {**row, "effect": None if "rate" in measure else 0.8, **more}


def cell(
    strategy: str, G: float, rate: float, word: str, power: float, adjusted: float
) -> list[dict[str, Any]]:
    safe = word in ("holds", "conservative")
    return [
        verdict(strategy, G, "false_positive_rate", rate, verdict=word, safe=safe),
        verdict(strategy, G, "power", power),
        verdict(strategy, G, "size_adjusted_power", adjusted),
        verdict(strategy, G, "unusable_rate", 0.0),
    ]


ROWS = [
    *cell("ols", 10, 0.30, "liberal", 0.90, 0.60),
    *cell("ols", 20, 0.05, "holds", 0.80, 0.80),
    *cell("two_stage", 10, 0.05, "holds", 0.50, 0.50),
    *cell("two_stage", 20, 0.05, "holds", 0.70, 0.70),
    *cell("mixed_maximal", 10, 0.02, "conservative", 0.49, 0.60),
    *cell("mixed_maximal", 20, 0.05, "holds", 0.68, 0.70),
    *cell("mixed_intercept", 10, 0.07, "slightly_liberal", 0.80, 0.75),
    *cell("mixed_intercept", 20, 0.05, "holds", 0.70, 0.70),
    verdict("ols", 10, "false_positive_rate", 0.28, scope="clusters", safe=False),
    verdict("two_stage", None, "false_positive_rate", 0.051, scope="all", safe=True),  # type: ignore[arg-type]
]


def test_strategies_stand_by_their_worst_cell_and_what_they_find() -> None:
    """By hand: what is liberal in one cell is last; power counts at 5 % or less."""
    evidence = Evidence(pd.DataFrame(ROWS))
    every = evidence.standings("core", WITHIN)
    assert [one.strategy for one in every] == [
        "two_stage",
        "mixed_maximal",
        "mixed_intercept",
        "ols",
    ]
    assert [one.safe for one in every] == [True, True, False, False]
    assert [one.liberal for one in every] == [False, False, False, True]
    assert [one.found for one in every] == pytest.approx([0.6, 0.585, 0.725, 0.7])
    assert [one.rate for one in every] == [0.051, 0.05, 0.07, 0.30]
    assert [one.strategy for one in best(every)] == ["two_stage", "mixed_maximal"]
    assert evidence.datasets == 200


def test_rates_are_those_of_fresh_sims_where_there_are_any() -> None:
    evidence = Evidence(pd.DataFrame(ROWS))
    (ols,) = [one for one in evidence.standings("core", WITHIN, clusters=10) if one.liberal]
    assert ols.rate == 0.28
    of_both = evidence.standings("core", WITHIN, clusters=[10, 20])
    assert {one.strategy: one.rate for one in of_both}["ols"] == 0.30
    (other, *_) = evidence.standings("core", WITHIN, clusters=20)
    assert (other.strategy, other.safe, other.rate) == ("ols", True, 0.05)


def test_the_pages_are_what_the_file_says() -> None:
    rows, facts = read()
    assert VERDICTS.stat().st_size < 2_000_000
    evidence = Evidence(rows)
    assert pages.page(evidence, facts) == pages.PAGE.read_text(encoding="utf-8")
    for name, section in regions.pages(evidence).items():
        assert section in (REPO / f"docs/strategies/{name}.md").read_text(encoding="utf-8")


def test_a_section_takes_the_place_of_the_one_that_is_there() -> None:
    first = regions.put("# A page\n\nWords.\n", f"{regions.BEGIN}\none\n{regions.END}\n")
    assert first.startswith("# A page\n\nWords.\n\n<!--")
    other = f"{regions.BEGIN}\ntwo\n{regions.END}\n"
    assert regions.put(f"{first}\nMore.\n", other) == f"# A page\n\nWords.\n\n{other}\nMore.\n"


def test_designs_are_listed_by_clusters() -> None:
    evidence = Evidence(pd.DataFrame([{**row, "obs_per_cluster": 5.0} for row in ROWS]))
    body = regions.pages(evidence)["ols"]
    assert "| OLS | predictor within clusters | 1 of 2 | 30.0 % |  | 10 × 5 |" in body

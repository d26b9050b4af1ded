"""Where each strategy is safe: a section of its own page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import pandas as pd

from studies.which_strategy.collection import RATE
from studies.which_strategy.evidence import KINDS, Evidence, chosen
from studies.which_strategy.page import percent, table
from studies.which_strategy.parts import CORE, DOCS
from studies.which_strategy.strategies import STRATEGIES

BEGIN, END = "<!-- where it is safe: python -m studies.which_strategy -->", "<!-- end -->"

HEAD = (
    "## Where it is safe\n\n"
    "In the core of [the study](../which-strategy.md), by kind of predictor: the number of cells "
    "in which it is safe, its worst false-positive rate, and the clusters × rows of each at which "
    "it is not shown to be safe, or is liberal, with some ICC (.02 to .3) and SD of slopes (0 to "
    ".3).\n\n"
)


def pages(evidence: Evidence) -> dict[str, str]:
    """Return the section of each strategy's page, by the page's name."""
    sections = {}
    for page in dict.fromkeys(strategy.page for strategy in STRATEGIES.values()):
        labels = [label for label, strategy in STRATEGIES.items() if strategy.page == page]
        body = [row for label in labels for row in _rows(evidence, label)]
        head = ["", "predictor", "safe in", "worst", "not shown to be safe", "liberal"]
        sections[page] = f"{BEGIN}\n{HEAD}{table(head, body)}\n{END}\n"
    return sections


def put(text: str, section: str) -> str:
    """Put a section into the text of a page, in the place of the one that is there."""
    if BEGIN not in text:
        return f"{text.rstrip()}\n\n{section}"
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(f"{END}\n", 1)
    return before + section + after


def write(evidence: Evidence) -> None:
    """Write the sections into the pages."""
    for page, section in pages(evidence).items():
        path = DOCS / f"strategies/{page}.md"
        path.write_text(put(path.read_text(encoding="utf-8"), section), encoding="utf-8")


def _rows(evidence: Evidence, label: str) -> Iterator[list[str]]:
    for kind, title in KINDS.items():
        standing = next(
            (one for one in evidence.standings(CORE, kind) if one.strategy == label), None
        )
        if standing is None:
            continue
        cells = chosen(evidence.cells, part=CORE, kind=kind, strategy=label, measure=RATE)
        safe = cells["safe"].astype(bool)
        liberal = cells["verdict"] == "liberal"
        yield [
            STRATEGIES[label].short,
            title.lower(),
            f"{int(safe.sum())} of {len(cells)}",
            percent(standing.rate, 1),
            _designs(cells[~safe & ~liberal]),
            _designs(cells[liberal]),
        ]


def _designs(cells: pd.DataFrame) -> str:
    """List clusters × rows: `6 × 5, 20; 10 × 80`."""
    pairs = zip(cells["clusters"], cells["obs_per_cluster"], strict=True)
    designs = sorted({(int(G), int(n)) for G, n in pairs})
    return "; ".join(
        f"{G} × {', '.join(str(n) for _, n in of)}"
        for G, of in groupby(designs, key=lambda design: design[0])
    )

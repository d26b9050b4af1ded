"""Put what the benchmarks found when they last ran here into docs/benchmarks.md and .png.

python -m benchmarks.report

What has not been measured here stays on the page as it is, with its date.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from typing import Any

from benchmarks import (
    curves,
    draw_fit_test,
    engines,
    few_datasets,
    figure,
    first_version,
    mixed_profile,
    own_table,
    scale,
    strategies,
    workflow,
)
from benchmarks.measure import REPO, kept
from clustrategy.figures.parts.files import save
from clustrategy.tables.files import write_text

SECTIONS = {
    "engines": ("The fits", engines.describe),
    "draw_fit_test": ("Beside MCPower", draw_fit_test.describe),
    "mixed_profile": ("What is left of a fit", mixed_profile.describe),
    "few_datasets": ("Few datasets", few_datasets.describe),
    "first_version": ("Version 0.1", first_version.describe),
    "strategies": ("Each strategy", strategies.describe),
    "workflow": ("The whole workflow", workflow.describe),
    "own_table": ("A table of one's own", own_table.describe),
    "scale": ("Many sims", scale.describe),
    "curves": ("How the cost grows", curves.describe),
}
DRAWN = ("engines", "curves", "workflow", "draw_fit_test", "strategies")
PAGE, PICTURE = REPO / "docs/benchmarks.md", REPO / "docs/benchmarks.png"


def page(found: Mapping[str, Mapping[str, Any]], before: str) -> str:
    """Put what was found into the page, over what it said of that before."""
    texts = dict(re.findall(r"^## (.*)\n\n((?:.*\n)+?)(?=\n## |\Z)", before, re.MULTILINE))
    lines = [
        "# Benchmarks",
        "",
        "Made by `python -m benchmarks.report` from what the [benchmarks](../benchmarks/README.md) "
        "measured. Ratios are what to read: seconds are of one machine, which others used too. "
        "Sections that were not measured again keep their numbers and their date.",
        "",
        f"![What the study costs]({PICTURE.name})",
    ]
    for name, (title, describe) in SECTIONS.items():
        if name in found:
            measured = f"Measured on {found[name]['date']}: {found[name]['machine']}."
            lines += ["", f"## {title}", "", *describe(found[name]), "", measured]
        elif title in texts:
            lines += ["", f"## {title}", "", texts[title].rstrip()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page, and the figure if all that it shows has been measured."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    found = {name: result for name in SECTIONS if (result := kept(name)) is not None}
    if all(name in found for name in DRAWN):
        save(figure.draw(*(found[name] for name in DRAWN)), [PICTURE])
    write_text(page(found, PAGE.read_text()), PAGE)


if __name__ == "__main__":
    main()

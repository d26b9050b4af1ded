"""Put what the benchmarks found when they last ran here into docs/benchmarks.md and .png.

python -m benchmarks.report
"""

from __future__ import annotations

import argparse

from benchmarks import curves, engines, figure, own_table, scale, workflow
from benchmarks.measure import REPO, kept
from clustrategy.figures.parts.files import save
from clustrategy.tables.files import write_text

SECTIONS = {
    "engines": ("The fits", engines.describe),
    "workflow": ("The whole workflow", workflow.describe),
    "own_table": ("A table of one's own", own_table.describe),
    "scale": ("Many sims", scale.describe),
    "curves": ("How the cost grows", curves.describe),
}
DRAWN = ("engines", "curves", "workflow")


def main() -> None:
    """Write the page, and the figure if all that it shows has been measured."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    found = {name: result for name in SECTIONS if (result := kept(name)) is not None}
    lines = [
        "# Benchmarks",
        "",
        "Made by `python -m benchmarks.report` from what the [benchmarks](../benchmarks/README.md) "
        "measured. Ratios are what to read: seconds are of one machine, which others used too.",
    ]
    if all(name in found for name in DRAWN):
        drawn = figure.draw(*(found[name] for name in DRAWN))
        save(drawn, [REPO / "docs/benchmarks.png"])
        lines += ["", "![What the study costs](benchmarks.png)"]
    for name, result in found.items():
        title, describe = SECTIONS[name]
        lines += ["", f"## {title}", "", *describe(result)]
        lines += ["", f"Measured on {result['date']}: {result['machine']}."]
    write_text("\n".join(lines) + "\n", REPO / "docs/benchmarks.md")


if __name__ == "__main__":
    main()

"""Write docs/which-strategy.md, its figures and the strategies' safe regions from the verdicts.

    python -m studies.which_strategy [--run CORES]

With `--run` the study is run first, all parts one after the other, and its verdicts are put into
docs/which-strategy.parquet, which is all that the page needs. What is there already is not done
again.
"""

from __future__ import annotations

import argparse

from clustrategy.figures.parts.files import save
from clustrategy.tables.files import write_text
from studies.which_strategy import regions
from studies.which_strategy.collection import collect, read
from studies.which_strategy.evidence import Evidence
from studies.which_strategy.page import FOUND, MAP, PAGE, page
from studies.which_strategy.parts import run
from studies.which_strategy.pictures import draw_map, draw_power


def main() -> None:
    """Write the page and its figures, after a run of the study where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", metavar="CORES", help="run the study before, on so many cores")
    cores = parser.parse_args().run
    if cores is not None:
        run(cores)
        collect()
    rows, facts = read()
    evidence = Evidence(rows)
    save(draw_map(evidence), [MAP])
    save(draw_power(evidence), [FOUND])
    write_text(page(evidence, facts), PAGE)
    regions.write(evidence)


if __name__ == "__main__":
    main()

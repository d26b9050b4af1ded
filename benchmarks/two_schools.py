"""False positives of four tests with the two schools of the student data, by many draws.

    python -m benchmarks.two_schools [--sims N]

G3 ~ absences of 395 pupils. `tests/dgp/test_given_rates.py` holds the rates to quadrature, by few
draws; here they come of the strategies alone.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from benchmarks.measure import REPO, keep
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import INTERCEPT
from clustrategy.design.from_table import design_from_table
from clustrategy.dgp.given import GivenProcess, draw_given
from clustrategy.engines.chosen import Strategy
from clustrategy.tables.markdown import markdown_table
from clustrategy.tables.user_files import read_table

BLOCK = 5000
ICC = (0.0, 0.2)
TESTS: dict[str, dict[str, Any]] = {
    "OLS": {"strategy": "ols"},
    "CR1S, z": {"strategy": "cluster_robust", "df": "normal"},
    "CR1S, t(1)": {"strategy": "cluster_robust"},
    "CR2, Satterthwaite": {
        "strategy": "cluster_robust",
        "variance": "CR2",
        "df": "satterthwaite",
    },
}


def main() -> None:
    """Draw, test and print the rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sims", type=int, default=100_000)
    sims = parser.parse_args().sims
    table = read_table(str(REPO / "tests" / "golden" / "student.csv"))
    design = design_from_table(table, "G3 ~ absences", "school").shard
    rates = {name: [0.0] * len(ICC) for name in TESTS}
    for place, icc in enumerate(ICC):
        variance = np.array([[icc / (1 - icc)]])
        process = GivenProcess(design, (INTERCEPT,), variance, 1.0)
        for first in range(0, sims, BLOCK):
            drawn = draw_given(process, 7, f"icc {icc:g}", range(first, min(first + BLOCK, sims)))
            for name, entry in TESTS.items():
                fits = Strategy.parse(entry).fit(drawn)
                p = t_inference(fits.estimate, fits.std_error, fits.df).p_value[:, 1]
                rates[name][place] += float((p < 0.05).sum()) / sims
    body = [[name, *(f"{100 * rate:.2f}" for rate in found)] for name, found in rates.items()]
    print("\n".join(markdown_table(["test", *(f"ICC {icc:g}, %" for icc in ICC)], body)))
    keep("two_schools", {"sims": sims, "rates": rates})


if __name__ == "__main__":
    main()

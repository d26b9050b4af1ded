"""Draw pupils.csv, the table of this example.

    python examples/cluster-trial/draw.py

14 schools of unequal size, 7 of which have a new curriculum. The test score has an SD of 10 within
and of 5 between schools, and the curriculum adds 4 points.
"""

from pathlib import Path

import numpy as np
import pandas as pd

SIZES = [8, 11, 12, 14, 15, 17, 19, 22, 25, 28, 33, 41, 52, 74]
TREATED = [0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1]

rng = np.random.default_rng(20190218)
school = np.repeat(np.arange(14), SIZES)
treat = np.array(TREATED)[school]
ability = rng.normal(size=school.size) + 0.4 * rng.normal(size=14)[school]
score = 50 + 4 * treat + 5 * ability + 5 * rng.normal(size=14)[school]
score += 8.7 * rng.normal(size=school.size)

pd.DataFrame(
    {
        "school": [f"S{number + 1:02}" for number in school],
        "treat": treat,
        "pretest": (50 + 10 * ability).round(1),
        "score": score.round(1),
    }
).to_csv(Path(__file__).with_name("pupils.csv"), index=False)

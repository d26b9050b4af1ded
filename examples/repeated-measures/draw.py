"""Draw nights.csv, the table of this example.

    python examples/repeated-measures/draw.py

16 persons whose reaction time (ms) is measured on up to 10 days of too little sleep. It grows by 10
ms a day, with an SD of 6 between persons, and errors of successive days are a little alike. Some
days are missing.
"""

from pathlib import Path

import numpy as np
import pandas as pd

PERSONS, DAYS = 16, 10

rng = np.random.default_rng(20190218)
person, day = np.repeat(np.arange(PERSONS), DAYS), np.tile(np.arange(DAYS), PERSONS)
errors = rng.normal(size=(PERSONS, DAYS))
for k in range(1, DAYS):
    errors[:, k] = 0.2 * errors[:, k - 1] + np.sqrt(1 - 0.2**2) * errors[:, k]
level, slope = 250 + 25 * rng.normal(size=PERSONS), 10 + 6 * rng.normal(size=PERSONS)
reaction = level[person] + slope[person] * day + 25 * errors.reshape(-1)
there = rng.uniform(size=day.size) < 0.9

pd.DataFrame(
    {
        "person": [f"P{number + 1:02}" for number in person],
        "day": day,
        "reaction": reaction.round(1),
    }
)[there].to_csv(Path(__file__).with_name("nights.csv"), index=False)

"""The four strategies one fit at a time, as pymer4's users write it; pymer4's Python runs this.

    PYTHON pymer4_loop.py DATASETS

DATASETS is an .npz file with `y0`, `X0`, `cluster0`, `y1`, ...; the seconds of each strategy, how
many fits there were and how many of them failed are printed as JSON. What starts pymer4 and R up is
done before the clock runs, and so are the data frames.
"""

import json
import sys
import time
from importlib.metadata import version

import numpy as np
import pandas as pd
from pymer4.models import Lm, Lm2, Lmer

FORMULA = "DV ~ IV1 + IV2 + IV3"
MODELS = {
    "cluster_robust": lambda data: Lm(FORMULA, data=data).fit(
        robust="cluster", cluster="Group", summarize=False
    ),
    "two_stage": lambda data: Lm2(FORMULA, data=data, group="Group").fit(summarize=False),
    "mixed_maximal": lambda data: Lmer(f"{FORMULA} + (IV1 + IV2 + IV3 | Group)", data=data).fit(
        summarize=False
    ),
    "mixed_intercept": lambda data: Lmer(f"{FORMULA} + (1 | Group)", data=data).fit(
        summarize=False
    ),
}


def main() -> None:
    """Fit with the clock running and print what it says."""
    arrays = np.load(sys.argv[1])
    frames = [
        pd.DataFrame(
            {
                "DV": arrays[f"y{number}"],
                **{f"IV{k}": arrays[f"X{number}"][:, k] for k in (1, 2, 3)},
                "Group": arrays[f"cluster{number}"],
            }
        )
        for number in range(len(arrays.files) // 3)
    ]
    for fit in MODELS.values():
        fit(frames[0].copy())
    seconds = dict.fromkeys(MODELS, 0.0)
    failed = 0
    for frame in frames:
        for name, fit in MODELS.items():
            data = frame.copy()
            start = time.process_time()
            try:
                fit(data)
            except Exception:
                failed += 1
            seconds[name] += time.process_time() - start
    answer = {
        "seconds": seconds,
        "fits": len(frames) * len(MODELS),
        "failed": failed,
        "versions": {"pymer4": version("pymer4")},
    }
    print("\n" + json.dumps(answer))


if __name__ == "__main__":
    main()

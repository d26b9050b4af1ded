"""What MCPower says of a design; MCPower's Python runs this.

    PYTHON mcpower_loop.py DESIGN

DESIGN is an entry of `benchmarks.mcpower_rates.DESIGNS` in JSON, with `tests`, `sims` and `seed`.
The rates by effect and test, the mean CPU seconds of a call, the number of fits that failed and the
version are printed as JSON. A first call, of a few datasets, is made before the clock runs.
"""

import json
import sys
import time
from importlib.metadata import version

from mcpower import MCPower

DF = {"z": "asymptotic", "t": "between_within"}
WARM_UP = 10


def main() -> None:
    """Ask for the rates with each effect, by each test."""
    design = json.loads(sys.argv[1])
    slopes = design["slope_variance"] > 0
    rates, seconds, failed = {}, [], 0
    for effect in design["effects"]:
        for test in design["tests"]:
            model = MCPower(f"y ~ x + ({'1 + x' if slopes else '1'}|g)", family="lme")
            model.set_effects({"x": effect})
            options = {"cluster_level_vars": ["x"]} if design["level"] == "cluster" else {}
            if slopes:
                options |= {"random_slopes": ["x"], "slope_variance": design["slope_variance"]}
            model.set_cluster("g", ICC=design["icc"], n_clusters=design["clusters"], **options)
            model.set_simulations(design["sims"])
            model.set_seed(design["seed"])
            rows = design["clusters"] * design["rows"]
            asked = {"df_method": DF[test], "verbose": False, "progress_callback": False}
            model.find_power(rows, n_sims=WARM_UP, **asked)
            start = time.process_time()
            found = model.find_power(rows, **asked)
            seconds.append(time.process_time() - start)
            failed += round((1 - found["convergence_rate"][0]) * design["sims"])
            rates[f"{effect:g} {test}"] = found["power_uncorrected"][0][0]
    cost = sum(seconds) / len(seconds)
    answer = {"rates": rates, "seconds": cost, "failed": failed, "version": version("mcpower")}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

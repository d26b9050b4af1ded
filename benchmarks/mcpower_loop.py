"""What MCPower says of a design; MCPower's Python runs this.

    PYTHON mcpower_loop.py DESIGN

DESIGN is an entry of `benchmarks.mcpower_rates.DESIGNS` in JSON, with `sims` and `seed`. The rates
by effect and test, the mean CPU seconds of a call and the version are printed as JSON.
"""

import json
import sys
import time
from importlib.metadata import version

from mcpower import MCPower

DF = {"z": "asymptotic", "t": "between_within"}


def main() -> None:
    """Ask for the rates without and with the effect, by each test."""
    design = json.loads(sys.argv[1])
    slopes = design["slope_variance"] > 0
    rates, seconds = {}, []
    for effect in (0.0, design["effect"]):
        for test, df in DF.items():
            model = MCPower(f"y ~ x + ({'1 + x' if slopes else '1'}|g)", family="lme")
            model.set_effects({"x": effect})
            options = {"cluster_level_vars": ["x"]} if design["level"] == "cluster" else {}
            if slopes:
                options |= {"random_slopes": ["x"], "slope_variance": design["slope_variance"]}
            model.set_cluster("g", ICC=design["icc"], n_clusters=design["clusters"], **options)
            model.set_simulations(design["sims"])
            model.set_seed(design["seed"])
            start = time.process_time()
            found = model.find_power(
                design["clusters"] * design["rows"],
                df_method=df,
                verbose=False,
                progress_callback=False,
            )
            seconds.append(time.process_time() - start)
            if found["convergence_rate"] != [1.0]:
                sys.exit(f"fits failed, a share of {found['convergence_rate']} converged")
            rates[f"{effect:g} {test}"] = found["power_uncorrected"][0][0]
    cost = sum(seconds) / len(seconds)
    print(json.dumps({"rates": rates, "seconds": cost, "version": version("mcpower")}))


if __name__ == "__main__":
    main()

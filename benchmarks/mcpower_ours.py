"""What clustrategy says of a design that MCPower is asked about, in a process of its own.

    python -m benchmarks.mcpower_ours DESIGN

DESIGN is as of `benchmarks.mcpower_loop`, perhaps with an `engine` other than the default. Datasets
are drawn and fitted once: the tests share the fit, and the power is that of the same draws,
shifted.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from clustrategy.core.fits import Fits
from clustrategy.core.inference import t_inference
from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.strategies.registry import DEFAULT_ENGINE
from clustrategy.study.blocks import ROWS, equal

BLOCK = 1000
"""Datasets that are worked on at once, unless they have more rows than the blocks of a study."""

WARM_UP = 10


def process(design: dict[str, Any]) -> Process:
    """Describe the design in our words: errors of variance 1, one normal predictor."""
    intercept = np.sqrt(design["icc"] / (1 - design["icc"]))
    return Process(
        clusters=design["clusters"],
        obs_per_cluster=design["rows"],
        predictors=1,
        predictor_icc=1.0 if design["level"] == "cluster" else 0.0,
        coefficients=[0.0, 0.0],
        residual_sigma=1.0,
        between_cluster_sigma=1.0,
        sigma_ratios=[intercept, np.sqrt(design["slope_variance"])],
    )


def main() -> None:
    """Draw, fit and test by blocks; print what MCPower's loop prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("design", type=json.loads)
    design = parser.parse_args().design
    drawn_by = process(design)
    slopes = design["slope_variance"] > 0
    strategy = Strategy.parse(
        "mixed_maximal" if slopes else "mixed_intercept", design.get("engine", DEFAULT_ENGINE)
    )
    ours = strategy.engine == DEFAULT_ENGINE
    cell = {"clusters": design["clusters"]}
    strategy.fit(simulate(drawn_by, design["seed"], cell, range(WARM_UP)).shard)
    t_inference(np.zeros(1), np.ones(1), np.ones(1))
    start, parts = time.process_time(), []
    for sims in equal(design["sims"], min(BLOCK, ROWS // drawn_by.rows)):
        parts.append(strategy.fit(simulate(drawn_by, design["seed"], cell, sims).shard))
    fits = Fits.concatenate(parts)
    estimate, error, df = (c[:, 1] for c in (fits.estimate, fits.std_error, fits.df))
    references, rates = {"z": np.full_like(df, np.inf), "t": df}, {}
    for effect in design["effects"]:
        for test in design["tests"]:
            p = t_inference(estimate + effect, error, references[test]).p_value
            rates[f"{effect:g} {test}"] = float((p < 0.05).mean())
    answer = {
        "rates": rates,
        "seconds": time.process_time() - start,
        "failed": int((~np.isfinite(estimate) | ~np.isfinite(error)).sum()),
        "version": None if ours else strategy.versions[strategy.engine],
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

"""Let lme4 analyse the random datasets, as its users have it and without bounds: see README.md."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.engines import lme4
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.mixed.models import random_columns
from tests.golden.random_datasets import NUMBERS, random_dataset

MODELS = ("mixed_maximal", "mixed_intercept")
ENGINES = ("lme4", "lme4_unbounded")
FLAGS = ("singular", "optimizer_warning", "gradient_warning", "hessian_warning")
NUMBERS_OF_A_FIT = ("reml_criterion", "sigma", "theta", "estimate", "std_error", "df")


def digest(shard: Shard) -> str:
    """Of the dataset's bits."""
    arrays = (shard.y, shard.X, shard.n.astype(np.int64))
    return hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest()[:16]


def plain(value: Any) -> Any:
    """Numbers as JSON has them, null for what is not finite."""
    if np.ndim(value):
        return [plain(v) for v in value]
    return float(value) if np.isfinite(value) else None


def analyse(shard: Shard, model: str, engine: str) -> dict[str, Any]:
    """One fit; where the project does not hand the dataset to lme4, what lme4 says to it."""
    fits = Strategy.parse(model, engine).fit(shard)
    found = {"status": fits.status[0], "message": fits.message[0]}
    if fits.status[0] in ("undefined", "error"):
        if fits.status[0] == "undefined" and shard.finite.all():
            found["lme4_says"] = asked_all_the_same(shard, model)
        return found
    found["flags"] = [flag for flag in FLAGS if getattr(fits, flag)[0]]
    return found | {name: plain(getattr(fits, name)[0]) for name in NUMBERS_OF_A_FIT}


def asked_all_the_same(shard: Shard, model: str) -> str:
    """lme4's own words on a dataset that the project calls undefined."""
    columns = random_columns(shard)[0] if model == "mixed_maximal" else None
    random = [0] if columns is None else np.flatnonzero(columns).tolist()
    assert shard.terms[0] == INTERCEPT
    try:
        fit = lme4.fit_one(shard, random)
    except RuntimeError as error:
        return " ".join(str(error).split())
    return f"{fit.status}: {fit.message}"


def main() -> None:
    """Write random.json, one dataset a line."""
    lines = []
    for number in NUMBERS:
        kind, shard = random_dataset(number)
        fits = {model: {e: analyse(shard, model, e) for e in ENGINES} for model in MODELS}
        entry = {"number": number, "kind": kind, "digest": digest(shard), **fits}
        if kind == "predictors + 1e6":
            X = np.column_stack([shard.X[:, 0], shard.X[:, 1:] - 1e6])
            back = replace(shard, X=X)
            entry["shifted_back"] = {model: analyse(back, model, ENGINES[1]) for model in MODELS}
        lines.append(json.dumps(entry, allow_nan=False))
    versions = {name: lme4.installed()[name] for name in ("R", "Matrix", "lme4", "lmerTest")}
    head = json.dumps({"versions": versions})[:-1]
    text = f'{head}, "datasets": [\n' + ",\n".join(lines) + "\n]}\n"
    (Path(__file__).parent / "random.json").write_text(text)


if __name__ == "__main__":
    main()

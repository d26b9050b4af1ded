"""Pages of made-up studies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow as pa

from clustrategy.evaluation.cell_verdicts import SCHEMA
from clustrategy.evaluation.conclusions import CONCLUSIONS
from clustrategy.report.citation import citation
from clustrategy.report.page import Found, render
from clustrategy.report.pictures import Picture, picture
from clustrategy.study.study import Study
from tests.conftest import REPO

CONFIG: dict[str, Any] = {
    "study": "made-up",
    "seed": 1,
    "grid": {"clusters": [10, 30], "obs_per_cluster": [5], "between_cluster_sigma": [0.5]},
    "sims": 100,
    "dgp": {"predictors": 2},
    "strategies": ["two_stage", "ols", {"strategy": "mixed_maximal", "name": "maximal"}],
}

KIND, TERMS = "predictor within clusters", "IV1, IV2"
WORST = "10 clusters, obs_per_cluster 5, between_cluster_sigma 0.5"

PROVENANCE: dict[str, Any] = {
    "command": "snakemake --cores 2",
    "start": "2026-01-02T03:04:05+00:00",
    "end": "2026-01-02T03:05:00+00:00",
    "config": CONFIG,
    "audit": {"references": {}, "left_out": "the config has no audit"},
    "python": "3.11.7",
    "platform": "Linux",
    "packages": {"clustrategy": "0.1.0", "numpy": "2.0.0", "zipp": "3.0"},
    "r": None,
}

CONCLUSION = {
    "number": 1,
    "statement": "All do alike.",
    "criterion": "a ratio of at most 1.15",
    "found": "The ratio is 1.05 (0.04).",
    "verdict": "does_not_hold",
    "beside": "False positives 5 to 80 %.",
}

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
"""A PNG."""


def study_of(**config: Any) -> Study:
    return Study.from_config({**CONFIG, **config})


def row(strategy: str, measure: str, value: float | None, **fields: Any) -> dict[str, Any]:
    """A row of verdicts over both cells, unless fields say otherwise."""
    of_terms = measure not in ("singular_rate", "unusable_rate")
    return {
        "scope": "all",
        "strategy": strategy,
        "kind": KIND if of_terms else None,
        "terms": TERMS if of_terms else None,
        "measure": measure,
        "effect": 0.5 if "power" in measure else None,
        "value": value,
        "mcse": None if value is None else 0.01,
        "n": 100,
        "cells": 2,
        "lowest": value,
        "highest": value,
        "mean_over_these_cells": value,
        "worst_cell": None if value is None else WORST,
        "note": None if value is not None else "no usable fit",
        **fields,
    }


def rate(strategy: str, value: float | None, **fields: Any) -> dict[str, Any]:
    """A row of false positives; undecided in both cells unless fields say otherwise."""
    counts = {"safe_cells": 0, "liberal_cells": 0, "undecided_cells": 2}
    return row(
        strategy,
        "false_positive_rate",
        value,
        **{
            "verdict": "undecided" if value is not None else None,
            "safe": False,
            **counts,
            **fields,
        },
    )


def rows_of(strategy: str, value: float | None = 0.05, **fields: Any) -> list[dict[str, Any]]:
    """All rows over the cells that a strategy has; the fields are those of false positives."""
    cells = fields.get("cells", 2)
    others = {
        "coverage": 0.95,
        "relative_error": -0.123,
        "bias": 0.0,
        "power": 0.8,
        "size_adjusted_power": 0.7,
        "power_less_the_best": 0.0,
        "singular_rate": 0.2,
        "unusable_rate": 0.0,
    }
    return [
        rate(strategy, value, **fields),
        *(
            row(
                strategy,
                measure,
                None if value is None and measure[-5:] != "_rate" else other,
                cells=cells,
                conf_high=0.0,
            )
            for measure, other in others.items()
        ),
    ]


def verdicts_of(study: Study, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table of verdicts; factors that a row does not name are null."""
    factors = [(name, pa.int64() if name[0] in "co" else pa.float64()) for name in study.factors]
    return pa.Table.from_pylist(list(rows), pa.schema([*factors, *SCHEMA]))


def fits_of(study: Study, ends: Mapping[str, Sequence[str]] | None = None) -> pa.Table:
    """The fits of a study by label: the status of the first sims of each cell; the rest are ok."""
    rows = []
    for cell in study.cells:
        for strategy in study.strategies:
            found = list((ends or {}).get(strategy.label, []))
            for sim, status in enumerate([*found, *["ok"] * (study.sims - len(found))]):
                good = status in ("ok", "singular")
                rows.append(
                    {
                        **cell,
                        "sim": sim,
                        "strategy": strategy.label,
                        "status": status,
                        "singular": status == "singular",
                        "message": "" if good else f"said: {status}",
                    }
                )
    return pa.Table.from_pylist(rows)


def write_picture(folder: Path, name: str, title: str = "One finds <more> & less") -> Picture:
    """A figure, read from its files."""
    escaped = title.replace("&", "&amp;").replace("<", "&lt;")
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20">'
        '<metadata><cc:Work xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:cc="http://creativecommons.org/ns#">'
        f"<dc:title>{escaped}</dc:title>"
        "<dc:description>share of rejections\nBars: 95 % intervals.</dc:description>"
        '</cc:Work></metadata><rect width="30" height="20"/></svg>'
    )
    (folder / f"{name}.svg").write_text(svg)
    (folder / f"{name}.png").write_bytes(PIXEL)
    return picture(folder / f"{name}.svg", folder / f"{name}.png")


def page_of(study: Study, rows: Sequence[Mapping[str, Any]] | None = None, **found: Any) -> str:
    """The page of a study whose strategies are all alike, unless rows say otherwise."""
    if rows is None:
        rows = [row for strategy in study.strategies for row in rows_of(strategy.label)]
    return render(
        study,
        Found(
            **{
                "verdicts": verdicts_of(study, rows),
                "fits": fits_of(study),
                "pictures": [],
                "conclusions": CONCLUSIONS.empty_table(),
                "audit": None,
                "provenance": {**PROVENANCE, "config": study.config},
                "citation": citation(REPO / "CITATION.cff", "2026"),
                "remake": "snakemake --cores 1 results/made-up/remade",
                **found,
            }
        ),
    )


def text_of(page: str) -> str:
    """What a page says, its spaces as one."""
    bare = re.sub("<style>.*?</style>", "", page, flags=re.S)
    bare = re.sub("<wbr>", "", bare)
    bare = re.sub("<[^>]*>", " ", bare)
    return " ".join(unescape(bare).split())

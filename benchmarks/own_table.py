"""Every strategy on one table of a million rows in 50,000 clusters, beside lme4 and statsmodels.

    python -m benchmarks.own_table [--turns N] [--clusters N] [--lme4-clusters N] [--without-lme4]

Each analysis is a process of its own, so that its memory is known. The 9,000 fits of the default
study have their turns among them: what a strategy costs is said in their seconds too, which is the
same on a slower machine. lme4 takes minutes for the maximal model; it may have a smaller table,
and then the strategies that it is compared with have that one too.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.measure import child, interleaved, keep
from benchmarks.words import digits
from clustrategy.tables.markdown import markdown_table

Entry = Mapping[str, Any]

CLUSTERS = 50_000
COEFFICIENTS = (4, 6)
STUDY = "the 9,000 fits of the default study"
STUDY_SIMS = 50
STUDY_ENTRIES = ("cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept")
STUDY_OTHER = ("simulate", "write Parquet")

STRATEGIES: tuple[Entry, ...] = (
    {"strategy": "ols"},
    {"strategy": "cluster_robust", "variance": "CR1S"},
    {"strategy": "cluster_robust", "variance": "CR2", "df": "satterthwaite"},
    {"strategy": "wild_cluster_bootstrap", "draws": 999},
    {"strategy": "two_stage"},
    {"strategy": "two_stage", "weights": "precision"},
    {"strategy": "fixed_effects", "variance": "CR2", "df": "satterthwaite"},
    {"strategy": "gee", "variance": "mancl_derouen"},
    {"strategy": "mixed_intercept"},
    {"strategy": "mixed_intercept", "variance": "CR2"},
    {"strategy": "mixed_maximal"},
    {"strategy": "mixed_maximal", "df": "kenward_roger"},
    {"strategy": "mixed_maximal", "variance": "CR2"},
    {"strategy": "mixed_uncorrelated"},
    {"strategy": "mixed_fallback"},
    {"strategy": "mixed_selected"},
)

OTHERS: tuple[Entry, ...] = (
    {"strategy": "cluster_robust", "engine": "statsmodels"},
    {"strategy": "mixed_intercept", "engine": "lme4 alone"},
    {"strategy": "mixed_maximal", "engine": "lme4 alone"},
)


def name(entry: Entry) -> str:
    """Call an analysis by its strategy and options."""
    options = [str(value) for key, value in entry.items() if key not in ("strategy", "engine")]
    named = ", ".join([entry["strategy"], *options])
    return f"{named} by {entry['engine']}" if "engine" in entry else named


def study(turn: int) -> dict[str, Any]:
    """Fit the default study."""
    entries = json.dumps([{"strategy": strategy} for strategy in STUDY_ENTRIES])
    seconds = child("fits", 0, STUDY_SIMS, entries)["seconds"]
    return {"cpu": sum(seconds[part] for part in seconds if part not in STUDY_OTHER)}


def analysis(clusters: int, coefficients: int, entry: Entry) -> Callable[[int], dict[str, Any]]:
    """Analyse a table in each turn."""

    def analyse(turn: int) -> dict[str, Any]:
        found = child("one_table", clusters, coefficients, json.dumps(entry))
        seconds = found["seconds"]
        read = seconds.get("read", 0.0)
        cpu = sum(seconds.values()) - read
        return {"rows": found["rows"], "read": read, "cpu": cpu, "peak": found["peak"]}

    return analyse


def measured(turns: int, clusters: int, lme4_clusters: int, others: Sequence[Entry]) -> Any:
    """Let all analyses have their turns.

    Returns
    -------
    dict
        `turns`, `clusters`, `lme4_clusters`; the `study`'s CPU seconds; `strategies`, rows of
        `name`, `coefficients`, `rows`, `cpu`, `read` and `peak`; and `others`, rows of `name`,
        `rows`, `read`, `cpu`, `peak`, and as `ours` those of the same strategy by this package.
    """
    each: dict[str, tuple[str, int]] = {}
    contenders: dict[str, Callable[[int], dict[str, Any]]] = {STUDY: study}
    for entry in STRATEGIES:
        for p in COEFFICIENTS:
            key = f"{name(entry)}, {p} coefficients"
            each[key] = name(entry), p
            contenders[key] = analysis(clusters, p, entry)
    beside: dict[str, str] = {}
    for entry in others:
        ours = {"strategy": entry["strategy"]}
        beside[name(entry)] = f"{name(ours)} beside {name(entry)}"
        contenders[beside[name(entry)]] = analysis(lme4_clusters, COEFFICIENTS[0], ours)
        contenders[name(entry)] = analysis(lme4_clusters, COEFFICIENTS[0], entry)
    answers = interleaved(contenders, turns)
    found = {
        key: {part: median(turn[part] for turn in answers[key]) for part in answers[key][0]}
        for key in contenders
    }
    return {
        "turns": turns,
        "clusters": clusters,
        "lme4_clusters": lme4_clusters,
        "study": found[STUDY]["cpu"],
        "strategies": [
            {"name": called, "coefficients": p, **found[key]} for key, (called, p) in each.items()
        ],
        "others": [{"name": key, **found[key], "ours": found[by]} for key, by in beside.items()],
    }


def describe(result: Mapping[str, Any]) -> list[str]:
    """Say in Markdown what was found."""
    rows = result["strategies"]
    called = list(dict.fromkeys(row["name"] for row in rows))
    by = {(row["name"], row["coefficients"]): row for row in rows}
    body = []
    for one in called:
        some = [by[one, p] for p in COEFFICIENTS]
        cpu = [row["cpu"] for row in some]
        peak = max(row["peak"] for row in some)
        body.append(
            [one, *map(digits, cpu), digits(max(cpu) / result["study"]), f"{peak / 2**30:.2f}"]
        )
    head = [f"{p} coefficients, CPU s" for p in COEFFICIENTS]
    head += ["times the study", "largest memory, GiB"]
    read = median(row["read"] for row in rows)
    turns = "One turn" if result["turns"] == 1 else f"Medians of {result['turns']} turns"
    lines = [
        f"One table of {rows[0]['rows']:,.0f} rows in {result['clusters']:,} clusters of 1 to 60 "
        "rows: two predictors that vary within clusters, one that does not, with 6 coefficients a "
        "factor besides. Reading it from a DataFrame by a formula, which all analyses share, takes "
        f"{digits(read)} CPU seconds more; the largest memory has Python and the table in it. The "
        f"study is {STUDY}, of {digits(result['study'])} CPU seconds in the same run. "
        f"{turns}.",
        "",
        *markdown_table(["", *head], body),
    ]
    if result["others"]:
        body = [
            [
                row["name"],
                digits(row["cpu"]),
                digits(row["ours"]["cpu"]),
                digits(row["cpu"] / row["ours"]["cpu"]),
                f"{row['peak'] / 2**30:.2f}",
                f"{row['ours']['peak'] / 2**30:.2f}",
            ]
            for row in result["others"]
        ]
        head = ["CPU s", "clustrategy, CPU s", "times", "GiB", "clustrategy, GiB"]
        lines += [
            "",
            f"Beside others, with 4 coefficients and {result['lme4_clusters']:,} clusters. lme4 "
            "alone has no degrees of freedom, which clustrategy's seconds include:",
            "",
            *markdown_table(["", *head], body),
        ]
    return lines


def main() -> None:
    """Measure, print the tables and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--clusters", type=int, default=CLUSTERS)
    parser.add_argument("--lme4-clusters", type=int, default=CLUSTERS)
    parser.add_argument("--without-lme4", action="store_true")
    options = parser.parse_args()
    without = options.without_lme4 or shutil.which("Rscript") is None
    others = [one for one in OTHERS if not (without and one["engine"] == "lme4 alone")]
    result = measured(options.turns, options.clusters, options.lme4_clusters, others)
    print("\n".join(describe(result)))
    keep("own_table", result)


if __name__ == "__main__":
    main()

"""Where the CPU of a mixed model's fit goes, and how far it is from what it could not be less than.

    python -m benchmarks.mixed_profile [--turns N]

The limit is to read the rows once, as fast as memory gives them, and to take one step of Newton's
method: the criterion, its derivatives and the step, by the same code.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from benchmarks.draw_fit_test import DESIGNS
from benchmarks.measure import child, interleaved, keep
from benchmarks.mixed_parts import PARTS
from benchmarks.words import digits
from clustrategy.tables.markdown import markdown_table

SMALLEST = "10 × 10"


def measured(turns: int) -> dict[str, Any]:
    """Let each turn draw and fit other datasets.

    Returns
    -------
    dict
        `turns`; `designs`, of each the least microseconds of its `parts`, of `read`, of `newton`
        and of a dataset fitted `alone`, its mean `evaluations` and the `sims` fitted at once; and
        `study`, the least of what the default study takes.
    """
    answers = interleaved({"profile": lambda turn: child("mixed_parts", turn)}, turns)["profile"]
    designs = []
    for same in zip(*(one["designs"] for one in answers), strict=True):
        least = {key: min(one[key] for one in same) for key in ("read", "newton", "alone", "sims")}
        parts = {part: min(one["parts"][part] for one in same) for part in PARTS}
        evaluations = sum(one["evaluations"] for one in same) / turns
        designs.append(
            {"design": same[0]["design"], "parts": parts, "evaluations": evaluations, **least}
        )
    study = {key: min(one["study"][key] for one in answers) for key in answers[0]["study"]}
    return {"turns": turns, "designs": designs, "study": study}


def describe(result: Mapping[str, Any]) -> list[str]:
    """Say in Markdown what was found."""
    body = []
    for one in result["designs"]:
        parts, limit = one["parts"], one["read"] + one["newton"]
        fit = sum(parts.values()) - parts["draw"]
        row = [one["design"], *(digits(parts[part]) for part in PARTS), digits(fit)]
        row += [f"{one['evaluations']:.1f}", digits(one["read"]), digits(one["newton"])]
        body.append([*row, digits(fit / limit)])
    head = ["clusters × rows", *PARTS, "fit", "evaluations", "read once", "Newton pass", "times"]
    study = result["study"]
    evaluations = [one["evaluations"] for one in result["designs"]]
    smallest = next(one for one in result["designs"] if one["design"] == SMALLEST)
    together = smallest["sims"] * (sum(smallest["parts"].values()) - smallest["parts"]["draw"])
    return [
        "CPU microseconds a dataset of `y ~ x + (1 + x | g)`, drawn as in "
        f"[Beside MCPower](#beside-mcpower), at {len(DESIGNS)} designs: drawing it, the triangles "
        "of its clusters, the criterion's value and its derivatives wherever the search goes, and "
        "the rest. A fit is all of these but "
        "the draw. Beside it is the limit: to read x and y once at memory's speed and to take one "
        f"Newton step from where the search ends; times is the fit over both. The least of "
        f"{result['turns']} turns with other datasets, part by part.",
        "",
        *markdown_table(head, body),
        "",
        "The rows are read for the triangles and, in the rest, to see that all numbers are finite; "
        "the search costs the same however many rows a cluster has. From a start by moments the "
        f"criterion is evaluated {min(evaluations):.1f} to {max(evaluations):.1f} times a fit. The "
        "rest is what a fit has of its own: checks, coordinates, a start, steps, standard errors "
        "and degrees of freedom.",
        "",
        "**No compiled kernel.** In the default study (4 random coefficients, 50 datasets at once) "
        f"numpy takes {study['value']:.2f} µs a cluster and evaluation for the value and "
        f"{study['derivatives']:.2f} for the derivatives, cost of calls included. When they were "
        "tried, and not again here, a plain kernel by numba (value, gradient and information) took "
        "1.2 to 1.5 µs, and importing numba 1.3 CPU seconds in each process, where all "
        f"{study['fits']:,} maximal fits of the default study together take "
        f"{digits(study['seconds'])}. A kernel in C of the whitening step was 2.5 times faster "
        "with 10 clusters and 4 coefficients, and no faster elsewhere. So there is none, and a "
        "machine without a compiler runs the same code.",
        "",
        "**Why MCPower is ahead where clusters are few**, probably: all of its fit is compiled, so "
        f"that it has no cost of calls. At {SMALLEST} a call of ours takes "
        f"{digits(smallest['alone'] / 1000)} ms for one dataset, which is nearly all cost of "
        f"calls, and {digits(together / 1000)} ms for {smallest['sims']:,} at once; the small "
        "matrices of each dataset go through memory once for each step of their formulas, which "
        "a compiled loop spares. And it does less: it fits by maximum likelihood, and its "
        "between-within degrees of freedom need no derivatives. Ours are Satterthwaite's, of a fit "
        "by REML; [the rates](#beside-mcpower) show what that is for.",
    ]


def main() -> None:
    """Measure, print the table and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    result = measured(parser.parse_args().turns)
    print("\n".join(describe(result)))
    keep("mixed_profile", result)


if __name__ == "__main__":
    main()

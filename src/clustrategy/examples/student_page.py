"""The example in words, as a Markdown page that follows from its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import stdtrit

from clustrategy.examples.student_regressions import CLUSTERED, FEW, NORMAL, UNCLUSTERED, Example
from clustrategy.tables.markdown import markdown_table


def page(it: Example) -> str:
    """Write the page."""
    groups = it.shard.clusters
    blocks = [
        f"# Cluster-robust regression with {groups} clusters",
        f"{as_code(it.formula)} on {it.shard.y.size} rows, clustered by `{it.cluster}` "
        f"({groups} clusters: {sizes(it)}). The table: {it.source}.",
        fits_table(it),
        verdict(it),
        "![The fits and the intervals of the slope](student.png)",
        "## What is wrong with it" if groups == 2 else "## How far to trust it",
        size_of_error(it),
        scores_in_words(it),
        scores_table(it),
        rank_in_words(it),
        freedom_in_words(it),
        slopes_in_words(it),
        "## What to do instead" if groups < FEW else "## What else to look at",
        advice(it),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def number(value: float) -> str:
    """Write three significant digits."""
    return f"{value:.3g}"


def p_words(p_value: float) -> str:
    """Write a p-value, or what it is below."""
    return f"p = {number(p_value)}" if p_value > 0 else "p < 1e-300"


def as_code(text: str) -> str:
    """Write a text, which may hold backticks, as Markdown's code."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def df_label(df: float) -> str:
    """Name the distribution that a test refers to."""
    return "normal" if np.isinf(df) else f"t, {df:.4g} df"


def fit_words(row: Mapping[str, Any]) -> str:
    """Write a slope with its standard error and test."""
    test = "normal" if np.isinf(row["df"]) else f"{row['df']:.3g} df"
    return (
        f"{number(row['estimate'])} (SE {number(row['std_error'])}, {test}, "
        f"{p_words(row['p_value'])})"
    )


def sizes(it: Example) -> str:
    """Write the rows of each cluster, or their range if there are many."""
    if it.shard.clusters > 6:
        low, high = it.sizes.min(), it.sizes.max()
        return f"{low} rows each" if low == high else f"{low} to {high} rows each"
    return ", ".join(f"{name} {n}" for name, n in zip(it.names, it.sizes, strict=True))


def fits_table(it: Example) -> str:
    """Write the table of the regressions."""
    body = [
        [
            row["strategy"],
            row["term"].replace("|", "\\|"),
            f"{row['estimate']:.4f}",
            number(row["std_error"]),
            f"{row['conf_low']:.4f} to {row['conf_high']:.4f}",
            df_label(row["df"]),
            f"{row['statistic']:.3f}",
            p_words(row["p_value"]).removeprefix("p = ").removeprefix("p "),
        ]
        for row in it.table.to_dict("records")
    ]
    head = ["regression", "term", "estimate", "SE", "95 % CI", "reference", "statistic", "p"]
    return "\n".join(markdown_table(head, body))


def verdict(it: Example) -> str:
    """Say what the two t tests find."""
    plain, clustered = it.slope(UNCLUSTERED), it.slope(CLUSTERED)
    judgement = {
        (False, False): "Neither t test finds",
        (True, True): "Both t tests find",
        (True, False): "The unclustered t test finds, and the clustered one does not find,",
        (False, True): "The clustered t test finds, and the unclustered one does not find,",
    }[bool(plain["p_value"] < 0.05), bool(clustered["p_value"] < 0.05)]
    return (
        f"{judgement} an association of {it.response} with {it.term} at the 5 % level: "
        f"{p_words(plain['p_value'])} unclustered and {p_words(clustered['p_value'])} "
        "clustered (the CR1S variance of statsmodels, t with as many degrees of freedom as "
        "clusters but one). The third regression is the second with the normal distribution, "
        "which statsmodels takes unless told `use_t=True`."
    )


def ratio_in_words(it: Example) -> str:
    """Say how many times smaller or larger the clustered standard error is."""
    ratio = it.ratio
    return f"{ratio:.2f} times smaller" if ratio >= 1 else f"{1 / ratio:.2f} times larger"


def size_of_error(it: Example) -> str:
    """Compare the two standard errors."""
    plain, clustered = it.slope(UNCLUSTERED)["std_error"], it.slope(CLUSTERED)["std_error"]
    text = (
        f"**The clustered standard error is {ratio_in_words(it)}.** It is {number(clustered)} for "
        f"{it.term}, the unclustered one {number(plain)}."
    )
    if it.shard.clusters < FEW and it.ratio >= 1:
        text += (
            " This looks like precision and is none, for no information was added: a variance that "
            f"is estimated from {it.shard.clusters} clusters is mostly chance and biased towards "
            "zero."
        )
    elif it.shard.clusters < FEW:
        text += (
            f" An estimate of a variance from {it.shard.clusters} clusters is mostly chance: it "
            "could as well have come out far too small."
        )
    expected = it.expected_ratio
    if expected < 0.95:
        largest = int(it.sizes.argmax())
        share = it.sizes[largest] / it.sizes.sum()
        text += (
            " Even if all rows were independent, and so no clustering needed, this design would "
            f"give a clustered standard error of about {expected:.2f} times the true one"
        )
        text += f" ({share:.0%} of the rows are in {it.names[largest]})." if share > 0.5 else "."
    return text


def scores_in_words(it: Example) -> str:
    """Say what the clustered variance is made of."""
    groups = it.shard.clusters
    rest = f"{groups - 1} of the {groups} decide the last"
    if groups == 2:
        rest = "with 2 clusters one score is the other with the sign turned"
    return (
        "**The scores sum to zero.** The clustered variance is made of one score per cluster and "
        "coefficient, the sum over the cluster's rows of predictor times residual. Least squares "
        f"sets the sum of all scores to zero, so that {rest}:"
    )


def scores_table(it: Example) -> str:
    """Write the table of the clusters, ten at most: rows, slopes and scores."""
    shown = min(it.shard.clusters, 10)
    head = [it.cluster, "rows", f"own slope of {it.term}", *(f"score, {t}" for t in it.shard.terms)]
    body = [
        [
            it.names[g],
            str(it.sizes[g]),
            "none" if np.isnan(it.own[g, it.column]) else f"{it.own[g, it.column]:.4f}",
            *(f"{score:.2f}" for score in it.scores[g]),
        ]
        for g in range(shown)
    ]
    if shown < it.shard.clusters:
        body.append([f"{it.shard.clusters - shown} more", *[""] * (len(head) - 1)])
    total = it.scores.sum(axis=0)
    total[np.abs(total) < 1e-8 * np.abs(it.scores).sum(axis=0)] = 0
    sums = [f"{value:.2f}" for value in total]
    body.append(["all", str(it.sizes.sum()), f"{it.coefficients[it.column]:.4f}", *sums])
    return "\n".join(markdown_table([cell.replace("|", "\\|") for cell in head], body))


def rank_in_words(it: Example) -> str:
    """Say what the sum of zero does to the variance matrix."""
    p, groups = it.shard.p, it.shard.clusters
    if groups == 2:
        text = (
            f"**The variance matrix has rank {it.rank}.** All that it holds is one score, squared "
            f"and counted twice: the score of {it.names[0]} decides every standard error, and "
            f"the score of {it.names[1]} adds nothing to it."
        )
        if p > 1:
            text += (
                f" As a matrix of {p} coefficients it calls them perfectly correlated, and a joint "
                "test of them is impossible."
            )
        return text
    text = (
        f"**The variance matrix of the {p} coefficients has rank {it.rank}**, and {groups} "
        f"clusters cannot give it a rank above {groups - 1}."
    )
    if it.rank < p:
        text += f" A joint test of all {p} coefficients is impossible."
    return text


def freedom_in_words(it: Example) -> str:
    """Say what the degrees of freedom are, and what the normal distribution claims instead."""
    clustered, normal = it.slope(CLUSTERED), it.slope(NORMAL)
    df = int(clustered["df"])
    only = "Only " if it.shard.clusters < FEW else ""
    noun = "degree of freedom is" if df == 1 else "degrees of freedom are"
    text = (
        f"**{only}{df} {noun} left.** The interval reaches {stdtrit(df, 0.975):.2f} standard "
        "errors to either side, where the normal distribution takes 1.96, and "
        f"{p_words(clustered['p_value'])}."
    )
    if it.is_trap:
        text += (
            f' By the default z the very same fit would "prove" an effect of {it.term}: '
            f"{p_words(normal['p_value'])}, 95 % interval {normal['conf_low']:.4f} to "
            f"{normal['conf_high']:.4f}. Nothing but the reference distribution differs."
        )
    else:
        text += f" By the default z it would be {p_words(normal['p_value'])}."
    return text


def slopes_in_words(it: Example) -> str:
    """Say whether the clusters agree."""
    slopes = it.own[:, it.column]
    slopes = slopes[~np.isnan(slopes)]
    if len(slopes) < 2:
        return ""
    slope_range = f"slopes from {number(slopes.min())} to {number(slopes.max())}"
    if not slopes.min() < 0 < slopes.max():
        return f"By themselves the clusters have {slope_range}."
    if it.shard.clusters > 2:
        return f"By themselves the clusters have {slope_range}, of either sign."
    return (
        f"**The clusters do not agree.** By themselves they have {slope_range}, "
        "of different signs; the clustered standard error shows nothing of it."
    )


def advice(it: Example) -> str:
    """Say what to do with as many clusters as these."""
    groups, cr2, fixed = it.shard.clusters, it.extra.get("CR2"), it.extra.get("fixed")
    result = f"; here CR2 gives {fit_words(cr2)}" if cr2 is not None else ""
    if groups >= FEW:
        return (
            f"{groups} clusters reach the {FEW} or so that the clustered variance is said to "
            "need; that holds for clusters of like size and predictors that vary in most "
            f"of them. CR2 with Satterthwaite degrees of freedom tells whether it does{result}."
        )
    method = f"A method for few clusters, such as CR2 with Satterthwaite degrees of freedom{result}"
    if groups == 2:
        method = (
            "Not a method for few clusters: CR2 with Satterthwaite degrees of freedom, the wild "
            f"cluster bootstrap and mixed models need more than 2 clusters as well{result}"
        )
    within = ""
    if fixed is not None:
        within = f": the slope within the clusters is {fit_words(fixed)}"
    return (
        f"- More clusters: {FEW} or so of like size are the usual advice. More rows in the same "
        f"{groups} are no replacement.\n"
        f"- {method}.\n"
        f"- Or `{it.cluster}` as a fixed effect, {as_code(f'{it.formula} + C({it.cluster})')}"
        f"{within}. This speaks of these {groups} clusters and says nothing about others in "
        "general."
    )

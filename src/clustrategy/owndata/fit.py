"""Several strategies on one table of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from clustrategy.core.errors import ConfigError
from clustrategy.core.validation import arguments
from clustrategy.design.checks import check
from clustrategy.design.from_table import Design, design_from_table
from clustrategy.engines.chosen import Strategy, parse_all, registry
from clustrategy.owndata.analysis import Analysis
from clustrategy.owndata.defaults import by_label, chosen, default_strategies
from clustrategy.strategies.installed import load_installed

SMALL_CLUSTERS = ("drop", "refuse", "keep")

Strategies = str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]

_ARGUMENTS = {
    "formula": {"type": "string"},
    "cluster": {"type": ["string", "null"], "expected": "the name of a column"},
    "random": {"type": ["string", "null"], "expected": "random effects such as '1 + x'"},
    "seed": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
    "small_clusters": {"enum": list(SMALL_CLUSTERS)},
    "strategies": {
        "type": "array",
        "minItems": 1,
        "items": {"type": ["string", "object"], "expected": "the name of a strategy or a mapping"},
    },
}


def fit(
    data: object,
    formula: str,
    *,
    cluster: str | None = None,
    random: str | None = None,
    strategies: Strategies | None = None,
    small_clusters: str = "drop",
    engine: str | None = None,
    seed: int = 0,
    weights: None = None,
) -> Analysis:
    """Fit strategies to one table, and say what to make of it.

    Parameters
    ----------
    data : DataFrame or other table
        A row per observation: a DataFrame of pandas, polars or any library that speaks Arrow, a
        pyarrow Table, a mapping of columns or a structured NumPy array. It is not changed. Files
        are read by `read_table`.
    formula : str
        The fixed effects in Wilkinson notation, `DV ~ IV1 + IV2`, to which lme4's bars may add the
        clusters and the random effects: `DV ~ IV1 + (1 + IV1 | Group)`, or `||` without
        correlations. Numbers of any type are 64-bit floats in it, truth values 0 and 1; text and
        categories are categories.
    cluster : str, optional
        The column that says which cluster a row belongs to, where no bar does.
    random : str, optional
        The random effects of the strategy `mixed`, such as `1 + IV1`, where no bar says them.
    strategies : str, Mapping, or Sequence of these, optional
        Names, also those of the default ones such as "OLS CR2", or mappings as under `strategies:`
        in a study's config. By default what a careful methodologist would show: CR2 with
        Satterthwaite's degrees of freedom, the wild bootstrap, two-stage regression, a mixed model
        by Kenward and Roger (maximal, or with the random effects named), a random intercept with
        CR2, fixed effects; and CR1S and least squares, which papers usually have.
    small_clusters : str
        What two-stage regression does with clusters that cannot carry a regression of their own:
        `drop`, `refuse` or `keep`.
    engine : str, optional
        The engine of the strategies that have it and name none themselves.
    seed : int
        From which strategies that resample draw: the same seed, the same numbers. The draws do not
        depend on the data.
    weights : None
        There are none: a weighted analysis is refused.

    Returns
    -------
    Analysis
        Print it; or take its tables: `tidy`, `glance`, `joint_tests`, `cluster_coefficients`,
        `design` and `leverage`. An unusable fit keeps its rows.

    Warns
    -----
    RowsLeftOut
        If rows lack a value in a column of the model; it names the columns.

    Raises
    ------
    DataError
        If the data are no table, a column is missing or does not hold numbers or categories, no
        row is complete, the formula cannot be read, or no strategy can analyse them: one cluster,
        every row a cluster, a constant response, predictors that depend on each other or are too
        many.
    ConfigError
        If a strategy, engine, option or another argument is not one of those allowed, a random
        coefficient is none of the model's, or two strategies have one name.
    EngineError
        If an engine is not installed.

    Examples
    --------
    Four schools, two of which have a new curriculum:

    >>> import pandas as pd
    >>> from clustrategy import fit
    >>> data = pd.DataFrame({
    ...     "school": ["A"] * 3 + ["B"] * 3 + ["C"] * 3 + ["D"] * 3,
    ...     "new": [0] * 6 + [1] * 6,
    ...     "score": [51, 49, 53, 58, 61, 55, 60, 57, 63, 66, 70, 68],
    ... })
    >>> found = fit(data, "score ~ new + (1 | school)")
    >>> print(found.summary.findings[0])
    new: 9.5 [-13.4, 32.4], p = 0.22, by OLS CR2. The other 3 agree (9.50); 4 of all 4 are one
    computation here. Set aside: OLS (9.50, p 0.006).
    """
    analysis = analysed(
        data,
        formula,
        cluster=cluster,
        random=random,
        strategies=strategies,
        small_clusters=small_clusters,
        engine=engine,
        seed=seed,
        weights=weights,
    )
    analysis.given.warn_of_rows()
    return analysis


def analysed(
    data: object,
    formula: str,
    *,
    strategies: Strategies | None,
    engine: str | None,
    weights: None,
    **asked: Any,
) -> Analysis:
    """Do what `fit` does, without a warning."""
    if weights is not None:
        raise ConfigError(
            "weights: no strategy takes them, and without them the numbers would be those of "
            "another analysis; leave them out to analyse the rows as they are"
        )
    entries = [strategies] if isinstance(strategies, str | Mapping) else strategies
    if isinstance(entries, Sequence):
        entries = [by_label(one) if isinstance(one, str) else one for one in entries]
    engines = _engines()
    if engine is not None and engine not in engines:
        load_installed()
        engines = _engines()
    asked = {"formula": formula, **asked}
    if entries is not None:
        asked["strategies"] = entries
    known = arguments(asked, {**_ARGUMENTS, "engine": {"enum": engines}}, engine=engine)
    own = None if entries is None else known["strategies"]
    if own is not None:  # Before the table, which may be large.
        for strategy in parse_all(own, engine):
            strategy.check()
    design = design_from_table(data, formula, known["cluster"], known["random"])
    check(design)
    named = strategies_on(design, own, engine=engine, small_clusters=known["small_clusters"])
    return fitted(design, named, known["seed"])


def fitted(design: Design, strategies: Sequence[Strategy], seed: int) -> Analysis:
    """Fit strategies to a table as they are.

    Parameters
    ----------
    design : Design
        Of the table.
    strategies : sequence of Strategy
    seed : int
        As of `fit`.
    """
    seeds = (np.random.SeedSequence(seed),)
    design = replace(design, shard=replace(design.shard, seeds=seeds))
    fits = tuple(strategy.fit(design.shard) for strategy in strategies)
    return Analysis(design, tuple(strategies), fits)


def strategies_on(
    design: Design,
    entries: Sequence[str | Mapping[str, Any]] | None,
    *,
    engine: str | None = None,
    small_clusters: str = "drop",
) -> list[Strategy]:
    """Return the strategies for a table.

    Parameters
    ----------
    design : Design
        Of the table.
    entries : sequence of str or mapping, optional
        As under `strategies:` in a config; the default ones unless given.
    engine, small_clusters : str
        As of `fit`.

    Raises
    ------
    ConfigError, EngineError
        As of `fit`.
    """
    if entries is None:
        named = parse_all(default_strategies(design.random), engine)
    else:
        named = parse_all(entries, engine)
        if design.random is not None:
            named = _with_random(named, design)
    named = [_with_small_clusters(one, small_clusters) for one in named]
    for strategy in named:
        strategy.check_terms(design.shard.terms)
    return named


def _engines() -> list[str]:
    return sorted({name for by_engine in registry().values() for name in by_engine})


def _with_random(strategies: Sequence[Strategy], design: Design) -> list[Strategy]:
    """Give the random effects of the design to the mixed models that have none of their own."""
    assert design.random is not None
    entry = chosen(design.random)
    own = {"random": entry["random"], "correlated": entry["correlated"]}
    takes = [one for one in strategies if one.name == "mixed" and "random" not in one.options]
    if not takes:
        raise ConfigError(
            "the random effects are named, but no strategy takes them: add 'mixed' to the "
            "strategies, or leave the random effects out"
        )
    return [Strategy.parse({**one.spec, **own}) if one in takes else one for one in strategies]


def _with_small_clusters(strategy: Strategy, small_clusters: str) -> Strategy:
    if strategy.name != "two_stage" or "small_clusters" in strategy.options:
        return strategy
    return Strategy.parse({**strategy.spec, "small_clusters": small_clusters})

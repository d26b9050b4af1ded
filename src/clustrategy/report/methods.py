"""The strategies in words."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from clustrategy.engines.chosen import Strategy
from clustrategy.figures.parts.labels import strategy_label
from clustrategy.strategies.registry import DEFAULT_ENGINE

WORDS = {
    "ols": "least squares that ignores the clusters",
    "cluster_robust": "least squares with cluster-robust standard errors",
    "wild_cluster_bootstrap": "least squares, tested by the wild cluster bootstrap",
    "fixed_effects": "the within estimator with cluster-robust standard errors",
    "gee": "generalised estimating equations",
    "two_stage": "least squares in each cluster, then a test over the clusters",
    "mixed": "mixed model by REML: random effects as given",
    "mixed_maximal": "mixed model by REML: random intercept and slopes with all correlations",
    "mixed_uncorrelated": "mixed model by REML: random intercept and slopes, uncorrelated",
    "mixed_intercept": "mixed model by REML: random intercept alone",
    "mixed_fallback": (
        "mixed model by REML: maximal, then simpler until one converges and is not singular"
    ),
    "mixed_selected": "mixed model by REML, its random effects by backward selection",
}


@dataclass(frozen=True)
class Method:
    """A strategy of the study.

    Attributes
    ----------
    label, in_figures : str
        Its name in tables, and in figures.
    words, options, engine : str
        What it is, the options that it was fitted with (also those at their defaults), and what
        computed it.
    """

    label: str
    in_figures: str
    words: str
    options: str
    engine: str

    @classmethod
    def of(cls, strategy: Strategy) -> Method:
        """Describe a strategy as a config chooses it."""
        said = (inspect.getdoc(strategy.function) or strategy.name).partition("\n")[0]
        parameters = inspect.signature(strategy.function).parameters.values()
        options = {
            one.name: strategy.options.get(one.name, one.default)
            for one in parameters
            if one.kind is one.KEYWORD_ONLY
        }
        return cls(
            strategy.label,
            strategy_label(strategy.label).replace(r"\$", "$"),
            WORDS.get(strategy.name, said),
            ", ".join(f"{name}: {_word(value)}" for name, value in options.items()),
            "" if strategy.engine == DEFAULT_ENGINE else strategy.engine,
        )


def _word(value: object) -> str:
    if isinstance(value, tuple):
        return " + ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)

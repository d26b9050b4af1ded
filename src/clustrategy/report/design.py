"""The design of a study in the order of ADEMP, written from its resolved config.

References
----------
Morris, White & Crowther (2019), Using simulation studies to evaluate statistical methods.
Statistics in Medicine 38, 2074-2102.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clustrategy.core.cells import MECHANISM, Level, format_level
from clustrategy.core.counted import counted
from clustrategy.dgp import Process
from clustrategy.dgp.kinds import kinds
from clustrategy.dgp.process import MECHANISMS
from clustrategy.evaluation.regions import MOST_UNUSABLE
from clustrategy.evaluation.wording import Wording, wording_of
from clustrategy.report.methods import Method
from clustrategy.report.process import FACTORS, in_words, predictors
from clustrategy.study.study import Study


@dataclass(frozen=True)
class Measure:
    """A performance measure that the page shows.

    Attributes
    ----------
    name, words : str
    error : str
        Its Monte Carlo standard error with the sims of a cell.
    """

    name: str
    words: str
    error: str


@dataclass(frozen=True)
class Conduct:
    """How a study was carried out, in words.

    Attributes
    ----------
    methods : list of Method
    measures : list of Measure
    sims : str
        How many datasets there are.
    unusable : str
        How fits without numbers that count are handled, in sentences.
    verdict : list of (str, str)
        The words of a verdict, and what each says.
    """

    methods: list[Method]
    measures: list[Measure]
    sims: str
    unusable: str
    verdict: list[tuple[str, str]]


@dataclass(frozen=True)
class Design:
    """What was done on a grid, in words.

    Attributes
    ----------
    aims : str
        A sentence.
    model : list of str
        The data-generating process, in sentences.
    factors : list of (str, str, str)
        Of the grid: name, what it is, and its levels.
    estimands : list of (str, str)
        Kinds of coefficients, and the terms of each.
    estimand : str
        What they are.
    """

    aims: str
    model: list[str]
    factors: list[tuple[str, str, str]]
    estimand: str
    estimands: list[tuple[str, str]]


def conduct(study: Study, wording: Wording) -> Conduct:
    """Describe what studies on a grid and on a table have in common.

    Parameters
    ----------
    study : Study
    wording : Wording
        What the parts of the study are called.
    """
    performance, verdict = study.config["performance"], study.config["verdict"]
    alpha = performance["alpha"]
    return Conduct(
        methods=[Method.of(strategy) for strategy in study.strategies],
        measures=_measures(alpha, study.sims),
        sims=_sims(study, wording),
        unusable=_unusable(performance),
        verdict=_verdict(alpha, verdict, wording),
    )


def design(study: Study) -> Design:
    """Describe a study on a grid."""
    alpha, verdict = study.config["performance"]["alpha"], study.config["verdict"]
    wording = wording_of(study.factors, verdict["effects"])
    processes = [study.synthetic(cell) for cell in study.cells]
    return Design(
        aims=_aims(len(study.strategies), alpha, wording.effect(verdict["effect"])),
        model=_model(study),
        factors=[
            (factor, FACTORS[factor], _levels(levels)) for factor, levels in study.levels.items()
        ],
        estimand=(
            f"The coefficients β of the model, which are {_averages(processes)}. The terms of a "
            "kind differ by chance alone, and a verdict is on all of them together."
        ),
        estimands=_estimands(processes),
    )


def _aims(strategies: int, alpha: float, effect: str) -> str:
    level = _percent(alpha)
    if strategies == 1:
        return (
            "To find out whether a strategy for clustered data can be trusted: whether its tests "
            f"at {level} reject a true hypothesis no more often than that, its intervals cover "
            f"and its standard errors are honest; and how often it finds {effect}."
        )
    return (
        f"To find out which of {strategies} strategies for clustered data can be trusted: whose "
        f"tests at {level} reject a true hypothesis no more often than that, whose intervals "
        "cover and whose standard errors are honest; and which of those finds "
        f"{effect} most often."
    )


def _sims(study: Study, wording: Wording) -> str:
    sims, cells = counted(study.sims, "dataset"), len(study.cells)
    if cells == 1:
        return f"{sims} of one {wording.cell}"
    datasets = counted(cells * study.sims, "dataset")
    return f"{datasets} ({study.sims:,} in each of {cells:,} {wording.cells})"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _levels(levels: Sequence[Level]) -> str:
    apart = "; " if any("," in format_level(one) for one in levels) else ", "
    return apart.join(format_level(one) for one in levels)


def _model(study: Study) -> list[str]:
    average = " on average" if study.dgp.get("size_cv") or "size_cv" in study.levels else ""
    by_sigma = "between_cluster_sigma" in study.levels
    spread = (
        "between_cluster_sigma × z"
        if by_sigma
        else "τz, where τ is residual_sigma √(icc / (1 − icc)) for the intercept and slope_sd for "
        "slopes"
    )
    return [
        "A dataset has as many clusters as its cell says, with as many observations in "
        f"each{average}, and {predictors(study.dgp, study.levels)}. The outcome of a row is "
        f"b₀ + b₁x₁ + … + bₖxₖ + e, with the coefficients of its cluster: b = β + {spread}. The "
        "deviations z, predictors x and errors e are independent standard normal variables but "
        "for what follows.",
        " ".join(in_words(study.dgp, study.factors)),
        *(
            f"Mechanism {name}: {' '.join(in_words(options, study.factors)) or 'nothing else.'}"
            for name, options in study.dgp.get(MECHANISMS, {}).items()
            if name in study.levels[MECHANISM]
        ),
    ]


def _estimands(processes: Sequence[Process]) -> list[tuple[str, str]]:
    found: dict[str, dict[str, None]] = {}
    for process in processes:
        for kind, terms in kinds(process).items():
            found.setdefault(kind, {}).update(dict.fromkeys(terms))
    return [(kind, ", ".join(terms)) for kind, terms in found.items()]


def _averages(processes: Sequence[Process]) -> str:
    """Say what the true coefficients are averages over."""
    match sorted({process.estimand for process in processes}):
        case ["clusters"]:
            return "means over clusters, not over rows"
        case ["persons"]:
            return "means over rows, not over clusters"
    return "means over clusters or, where the estimand is persons, over rows"


def _measures(alpha: float, sims: int) -> list[Measure]:
    def error(share: float) -> str:
        return f"{100 * math.sqrt(share * (1 - share) / sims):.2g} points at {_percent(share)}"

    own = "given with each number"
    return [
        Measure(
            "false-positive rate",
            f"share of datasets in which the test at {_percent(alpha)} rejects the true value",
            error(alpha),
        ),
        Measure("coverage", "share of 95 % intervals that hold the true value", error(0.95)),
        Measure(
            "error of the standard error",
            "mean model standard error over the standard deviation of the estimates, less 1",
            own,
        ),
        Measure("bias", "mean error over the standard deviation of the estimates", own),
        Measure("power", "share of datasets in which an effect is found", error(0.5)),
        Measure(
            "size-adjusted power",
            f"the same at the critical value that would give exactly {_percent(alpha)} false "
            "positives, so that a liberal test earns nothing",
            error(0.5),
        ),
        Measure(
            "singular, unusable",
            "share of fits on the boundary of the parameter space; without numbers that count",
            error(0.05),
        ),
    ]


_STATUS = {"ok": "ok", "singular": "singular", "not_converged": "not converged"}


def _unusable(performance: Mapping[str, Any]) -> str:
    usable = " or ".join(f"“{_STATUS[one]}”" for one in performance["usable"])
    return (
        f"The numbers of a fit count where its status is {usable}. The other fits are unusable: "
        "counted beside the rates, never inside them, and where they are more than "
        f"{_percent(MOST_UNUSABLE)} a strategy is not called safe. performance.csv has every "
        "measure by case-wise deletion (over the datasets that a strategy itself could fit), by "
        "list-wise deletion (that all could), and with the numbers of "
        f"{performance['fallback']} in place of those that are missing."
    )


def _verdict(alpha: float, verdict: Mapping[str, Any], wording: Wording) -> list[tuple[str, str]]:
    low, up, liberal = (_percent(alpha * verdict[name]) for name in ("lower", "upper", "liberal"))
    confidence = _percent(verdict["confidence"])
    return [
        ("conservative", f"the false-positive rate is below {low}"),
        ("holds", f"it is from {low} to {up}"),
        ("slightly liberal", f"it is from {up} to {liberal}"),
        ("liberal", f"it is above {liberal}"),
        (
            "undecided",
            f"the {confidence} interval of the rate touches more than one of these; over several "
            f"{wording.cells}: not shown to be safe in each, nor to be liberal in any",
        ),
        (
            "safe",
            f"the one-sided upper {confidence} limit of the rate is at most {up}, and at most "
            f"{_percent(MOST_UNUSABLE)} of the fits are unusable; over several "
            f"{wording.cells}: in each",
        ),
    ]

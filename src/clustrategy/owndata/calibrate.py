"""A simulation study on one's own design, in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clustrategy.calibration.given_data import GivenData
from clustrategy.core.errors import ConfigError
from clustrategy.core.scenarios import NAMES
from clustrategy.core.validation import arguments
from clustrategy.design.row_order import in_order
from clustrategy.owndata.calibration import Calibration
from clustrategy.owndata.fit import Strategies, analysed
from clustrategy.study.in_memory import simulated_cells
from clustrategy.study.study import Study
from clustrategy.study.trials import try_out
from clustrategy.study.verdicts import study_verdicts

Effects = float | Sequence[float] | Mapping[str, Sequence[float]]

_EFFECTS = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "number", "exclusiveMinimum": 0, "expected": "a number greater than 0"},
}
_ARGUMENTS = {
    "sims": {"type": "integer", "minimum": 1, "maximum": 10_000_000},
    "order": {"type": ["string", "null"], "expected": "the name of a column"},
    "effects": {
        "expected": "numbers greater than 0, or a mapping of terms to them",
        "anyOf": [
            _EFFECTS,
            {"type": "object", "minProperties": 1, "additionalProperties": _EFFECTS},
            {"type": "null"},
        ],
    },
    "scenarios": {
        "type": ["array", "null"],
        "minItems": 1,
        "uniqueItems": True,
        "items": {"enum": list(NAMES)},
    },
}


def calibrate(
    data: object,
    formula: str,
    *,
    cluster: str | None = None,
    random: str | None = None,
    order: str | None = None,
    strategies: Strategies | None = None,
    sims: int = 10_000,
    effects: Effects | None = None,
    scenarios: str | Sequence[str] | None = None,
    small_clusters: str = "drop",
    engine: str | None = None,
    seed: int = 0,
) -> Calibration:
    """Say which strategies can be trusted on data like one's own, by simulation on its design.

    Predictors, clusters and sizes stay as they are. Outcomes are drawn under scenarios about what
    is not known of them, every coefficient 0, and each strategy is judged by its worst scenario:
    how often it finds what is not there, and, as adding an effect shifts the estimates and changes
    nothing else, how large an effect it finds.

    Parameters
    ----------
    data, formula, cluster, random, strategies, small_clusters, engine
        As of `fit`. The working model has the random effects named, or else an intercept and all
        slopes that vary within clusters.
    order : str, optional
        The column by which the rows of a cluster are in an order, such as time: there is then a
        scenario of correlated neighbours.
    sims : int
        Outcomes of each scenario. 10,000 are enough to certify what keeps its level.
    effects : float, Sequence of float, or Mapping of str to these, optional
        The effects at which power is given, in units of the response per unit of the predictor: the
        same of all terms or of each. By default multiples of a term's standard error, of which 2.8
        are found in about 80 % by the best tests.
    scenarios : str or Sequence of str, optional
        Those to simulate; all by default.
    seed : int
        Every number follows from it.

    Returns
    -------
    Calibration
        Print it for what to do.

    Raises
    ------
    DataError, ConfigError, EngineError
        As of `fit`; or if `order`, `effects` or `scenarios` do not go with the data.

    Examples
    --------
    Six schools, of which three have a new curriculum:

    >>> import numpy as np
    >>> import pandas as pd
    >>> from clustrategy import calibrate
    >>> rng = np.random.default_rng(1)
    >>> data = pd.DataFrame({"school": np.repeat(list("ABCDEF"), 8)})
    >>> data["new"] = data["school"].isin(["A", "B", "C"]).astype(int)
    >>> data["score"] = rng.normal(size=48) + np.repeat(rng.normal(size=6), 8)
    >>> found = calibrate(data, "score ~ new", cluster="school", sims=400,
    ...                   strategies=["ols", "two_stage"], scenarios="estimated")
    >>> table = found.verdicts()
    >>> rates = table[(table["measure"] == "false_positive_rate") & (table["scope"] == "all")]
    >>> rates = rates[rates["kind"] == "new"]
    >>> print(rates[["strategy", "value", "verdict"]].round(2).to_string(index=False))
     strategy  value   verdict
          ols   0.36   liberal
    two_stage   0.05 undecided
    """
    known = arguments(
        {
            "sims": sims,
            "order": order,
            "effects": [effects] if isinstance(effects, int | float) else effects,
            "scenarios": [scenarios] if isinstance(scenarios, str) else scenarios,
        },
        _ARGUMENTS,
    )
    analysis = analysed(
        in_order(data, order, formula, cluster),
        formula,
        cluster=cluster,
        random=random,
        strategies=strategies,
        small_clusters=small_clusters,
        engine=engine,
        seed=seed,
        weights=None,
    )
    given = GivenData.of(analysis.given, "", ordered=order is not None)
    config = {
        "study": "calibration",
        "seed": seed,
        "sims": known["sims"],
        "data": {"file": "data", "formula": formula, "scenarios": known["scenarios"]},
        "strategies": [strategy.spec for strategy in analysis.strategies],
        "verdict": {"effects": known["effects"]},
    }
    try:
        study = Study.from_config(config, given=given)
        try_out(study)
    except ConfigError as error:
        raise ConfigError(str(error).removeprefix("config: ")) from None
    cells = list(simulated_cells(study.plan))
    table = study_verdicts(study.plan, study.verdict_settings, cells)
    analysis.given.warn_of_rows()
    return Calibration(study, given, cells, table, analysis)

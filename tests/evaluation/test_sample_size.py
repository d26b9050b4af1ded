"""How many sims: published numbers, the MCSE that they then have, and a pilot study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from clustrategy.core.errors import ConfigError, DataError
from clustrategy.evaluation import measures
from clustrategy.evaluation.measures import Replicates, Settings
from clustrategy.evaluation.sample_size import (
    safe_probability,
    sims_by_pilot,
    sims_for,
    sims_for_verdict,
)


@pytest.mark.parametrize(
    ("arguments", "sims"),
    [
        # Morris, White & Crowther (2019), section 5.3: coverage of 95 %, worst case 50 %.
        ({"mcse": 0.005, "of": "coverage"}, 1_900),
        ({"mcse": 0.005, "of": "power"}, 10_000),
        # Their variance of at most 0.04, bias to 0.005.
        ({"mcse": 0.005, "of": "bias", "sd": 0.2}, 1_600),
        ({"mcse": 0.005, "of": "rejection_rate"}, 1_900),
        ({"mcse": 0.001, "of": "rejection_rate", "alpha": 0.01}, 9_900),
        ({"mcse": 0.01, "of": "unusable_rate"}, 2_500),
        ({"mcse": 0.01, "of": "empirical_se", "sd": 0.2}, 201),
        ({"mcse": 0.3, "of": "bias_eliminated_coverage"}, 1),
        # Means: of errors as shares of the truth, squared standard errors, widths and scores.
        ({"mcse": 0.005, "of": "relative_bias", "sd": 0.2}, 1_600),
        ({"mcse": 0.005, "of": "model_se", "sd": 0.2}, 1_600),
        ({"mcse": 0.005, "of": "interval_width", "sd": 0.2}, 1_600),
        ({"mcse": 0.005, "of": "interval_score", "sd": 0.2}, 1_600),
        # The variance of a median is pi / 2 times, that of a root mean square half a mean's;
        # squares of normal errors vary by 2 sd^4.
        ({"mcse": 0.005, "of": "median_bias", "sd": 0.2}, 2_514),
        ({"mcse": 0.005, "of": "rmse", "sd": 0.2}, 800),
        ({"mcse": 0.005, "of": "mse", "sd": 0.2}, 128),
    ],
)
def test_known_numbers(arguments: dict[str, Any], sims: int) -> None:
    assert sims_for(**arguments) == sims


@pytest.mark.parametrize("of", ["bias", "median_bias", "empirical_se", "mse", "rmse"])
def test_so_many_sims_have_the_mcse(of: str) -> None:
    """Of normal estimates with a standard deviation of 0.7."""
    sims = sims_for(mcse=0.01, of=of, sd=0.7)
    rng = np.random.default_rng(2)
    nan, zero = np.full(sims, np.nan), np.zeros(sims)
    found = [
        measures.evaluate(of, Replicates.of(0.7 * x, zero, nan, nan), Settings()).mcse
        for x in rng.normal(size=(30, sims))
    ]
    assert np.mean(found) == pytest.approx(0.01, rel=0.03)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"of": "baes"}, r"unknown measure 'baes' \(did you mean 'bias'\?\)"),
        ({"of": "bias"}, "the sims for bias need an 'sd'"),
        ({"of": "coverage", "sd": 1.0}, "the sims for coverage need no sd"),
        ({"of": "variance_df"}, "the sims for variance_df follow from a pilot study alone"),
        ({"of": "bias", "sd": 0}, "^sd must be a number greater than 0, found 0$"),
        ({"of": "bias", "sd": "1"}, "^sd must be a number greater than 0, found '1'$"),
        ({"of": None}, "^of must be the name of a measure, found nothing$"),
        ({"of": "coverage", "mcse": 0}, "^mcse must be a number greater than 0, found 0$"),
        ({"of": "coverage", "mcse": None}, "^mcse must be a number greater than 0, found nothing$"),
        ({"of": "coverage", "mcse": 1e-200}, "^mcse is so small that no number of sims is enough$"),
        ({"of": "mse", "mcse": 1.0, "sd": 1e200}, "^mcse is so small that no number of sims is"),
        ({"of": "rejection_rate", "alpha": 5}, "^alpha must be between 0 and 1, found 5$"),
        ({"of": "rejection_rate", "alpha": "a"}, "^alpha must be between 0 and 1, found 'a'$"),
    ],
)
def test_what_is_wrong_is_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        sims_for(**{"mcse": 0.01, **arguments})


@pytest.fixture
def pilot(tmp_path: Path) -> str:
    """A table of performance: two cells, two strategies, a true value of 0 and one of 1."""
    rows = [
        (10, "A", "(Intercept)", 0.0, "case_wise", "rejection_rate", 0.05, 0.02, 100, ""),
        (10, "A", "IV1", 1.0, "case_wise", "rejection_rate", 0.5, 0.05, 100, ""),
        (20, "A", "(Intercept)", 0.0, "case_wise", "rejection_rate", 0.05, 0.01, 80, ""),
        (20, "A", "IV1", 1.0, "case_wise", "rejection_rate", 0.9, 0.03, 100, ""),
        (20, "A", "IV1", 1.0, "fallback", "rejection_rate", 0.5, 0.9, 100, ""),
        (20, "A", "IV1", 1.0, "case_wise", "bias", 0.1, 0.2, 100, ""),
        (20, "B", "IV1", 1.0, "case_wise", "bias", 0.1, None, 100, "no finite variance"),
        (10, "B", "IV1", 1.0, "case_wise", "bias", 0.1, 0.1, 50, ""),
    ]
    rows += [
        (clusters, strategy, term, None, "case_wise", "unusable_rate", 0.0, 0.0, 100, "")
        for clusters in (10, 20)
        for strategy in "AB"
        for term in ("(Intercept)", "IV1")
    ]
    head = ["strategy", "term", "true_value", "handling", "measure", "value", "mcse", "n", "note"]
    path = tmp_path / "performance.parquet"
    pd.DataFrame(rows, columns=["clusters", *head]).to_parquet(path)
    return str(path)


def test_a_pilot_tells_of_the_worst_cell(pilot: str) -> None:
    found = sims_by_pilot(0.01, "bias", pilot)
    assert [(row.strategy, row.cell, row.sims) for row in found] == [
        ("A", "clusters=20", 40_000),
        ("B", "clusters=10", 10_000),  # half of its 100 fits failed
    ]
    (power,) = sims_by_pilot(0.01, "power", pilot)
    assert (power.term, power.cell, power.value, power.sims) == ("IV1", "clusters=10", 0.5, 2_500)
    (size,) = sims_by_pilot(0.01, "rejection_rate", pilot)
    assert (size.term, size.cell, size.sims) == ("(Intercept)", "clusters=10", 400)
    with pytest.raises(DataError, match="has no Monte Carlo standard error of coverage"):
        sims_by_pilot(0.01, "coverage", pilot)
    with pytest.raises(ConfigError, match="unknown measure 'bais'"):
        sims_by_pilot(0.01, "bais", pilot)
    drawn = pd.read_parquet(pilot).assign(true_value=np.nan)
    drawn.to_parquet(pilot)
    with pytest.raises(DataError, match="no coefficient whose true value is 0; take power$"):
        sims_by_pilot(0.01, "rejection_rate", pilot)
    assert len(sims_by_pilot(0.01, "power", pilot)) == 2


def test_a_pilot_must_be_a_table_of_performance(tmp_path: Path) -> None:
    path = str(tmp_path / "other.parquet")
    pd.DataFrame({"strategy": ["A"]}).to_parquet(path)
    with pytest.raises(DataError, match=r"other.parquet: has no column 'term'"):
        sims_by_pilot(0.01, "bias", path)
    with pytest.raises(ConfigError, match=r"the performance.parquet of a study, found 'a.csv'"):
        sims_by_pilot(0.01, "bias", "a.csv")
    with pytest.raises(DataError, match=r"^b.parquet: there is no such file; run the pilot study"):
        sims_by_pilot(0.01, "bias", "b.parquet")
    with pytest.raises(ConfigError, match="^pilot must be the path of a performance.parquet, foun"):
        sims_by_pilot(0.01, "bias", None)  # type: ignore[arg-type]


def test_a_pilot_of_other_columns_or_types_is_one_sentence(pilot: str) -> None:
    table = pd.read_parquet(pilot)
    table.astype({"mcse": str}).to_parquet(pilot)
    with pytest.raises(DataError, match=r"the column 'mcse' of .*performance.parquet must hold nu"):
        sims_by_pilot(0.01, "bias", Path(pilot))
    table[table["measure"] != "unusable_rate"].to_parquet(pilot)
    with pytest.raises(DataError, match="performance.parquet: has no unusable_rate of A, IV1$"):
        sims_by_pilot(0.01, "bias", pilot)
    table.to_parquet(pilot)
    with pytest.raises(ConfigError, match="^mcse must be a number greater than 0, found -1$"):
        sims_by_pilot(-1, "bias", pilot)


@pytest.mark.parametrize(
    ("sims", "one", "all_of_45", "all_of_108"),
    [
        (1_000, 0.65, 0.00, 0.00),
        (2_000, 0.88, 0.00, 0.00),
        (4_000, 0.99, 0.72, 0.46),
        (10_000, 1.00, 1.00, 1.00),
    ],
)
def test_an_exact_test_is_called_safe_so_often(
    sims: int, one: float, all_of_45: float, all_of_108: float
) -> None:
    found = safe_probability(sims, 0.05, 1.3, 0.95)
    expected = (one, all_of_45, all_of_108)
    assert (found, found**45, found**108) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("sims", "alpha", "upper", "confidence"),
    [(10, 0.3, 2.0, 0.9), (77, 0.05, 1.3, 0.95), (500, 0.01, 3.0, 0.99), (60, 0.2, 6.0, 0.9)],
)
def test_every_count_of_rejections_is_judged_by_its_limit(
    sims: int, alpha: float, upper: float, confidence: float
) -> None:
    counts = np.arange(sims + 1)
    limits = proportion_confint(counts, sims, 2 * (1 - confidence), "wilson")[1]
    safe = counts[limits <= upper * alpha]
    assert safe.size
    found = safe_probability(sims, alpha, upper, confidence)
    assert found == pytest.approx(binom.pmf(safe, sims, alpha).sum(), abs=1e-12)


@pytest.mark.parametrize(("cells", "probability"), [(1, 0.99), (45, 0.99), (45, 0.5), (1, 0.07)])
def test_sims_for_a_verdict_are_the_fewest_of_two_digits(cells: int, probability: float) -> None:
    sims = sims_for_verdict(cells, probability)
    step = 10 ** (len(str(sims)) - 2)
    assert sims % step == 0
    fewer = [*range(10, min(sims, 100)), *range(100, min(sims, 1000), 10)]
    fewer += [*range(1000, sims, 100)]
    assert safe_probability(sims, 0.05, 1.3, 0.95) ** cells >= probability
    assert all(safe_probability(n, 0.05, 1.3, 0.95) ** cells < probability for n in fewer)


def test_more_cells_or_a_narrower_band_take_more_sims() -> None:
    cells = [sims_for_verdict(count) for count in (1, 45, 108)]
    assert cells == sorted(set(cells))
    assert sims_for_verdict(1, upper=1.2) > sims_for_verdict(1) > sims_for_verdict(1, upper=1.5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"cells": 0}, "^cells must be a whole number of at least 1, found 0$"),
        ({"cells": 1.5}, "^cells must be a whole number of at least 1, found 1.5$"),
        ({"cells": 1, "upper": 1.0}, "^upper must be a number greater than 1, found 1"),
        ({"cells": 1, "upper": 1.0001}, "^upper is so near to 1 that no number of sims is enough$"),
    ],
)
def test_what_decides_nothing_is_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        sims_for_verdict(**arguments)

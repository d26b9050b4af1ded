"""Each of the 19 conclusions against tables in which it is true, and false, by construction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from clustrategy.evaluation.conclusions import CONCLUSIONS, GRID, NAMES, conclusions

SIMS = 24
CR, TS, MM, MI = range(4)
LABELS = {name: f"<{name}>" for name in NAMES}
EXAMPLE = {"mixed_maximal": (1.0, 30.0), "mixed_intercept": (0.6, 50.0)}
SHAPE = (4, 3, 3, 5)
N, S = np.array([10, 30, 100])[:, None, None], np.array([0.1, 0.25, 1, 2, 4])


class Made:
    """Medians and failures, by strategy, clusters, observations and sigma, of which all hold."""

    def __init__(self) -> None:
        """Make all statements true.

        With 5 observations two-stage is worst and maximal best, the more so the higher sigma; with
        25 cluster-robust is worst; with 100 all are alike.
        """
        grows = 1 + 0.05 * np.arange(5)
        self.err = np.broadcast_to(5 * S / np.sqrt(N), SHAPE).copy()
        self.err[:, :, 0] *= self.of(1.05, 1.5, 1, 1.05)
        self.err[[CR, TS, MI], :, 0] *= grows
        self.err[:, :, 1] *= self.of(1.08, 1.01, 1, 1.02)
        self.err[:, :, 2] *= self.of(1.02, 1.01, 1, 1.03)
        self.se = np.broadcast_to((1 + S) / np.sqrt(N), SHAPE).copy()
        self.se[:, :, 0] *= self.of(1.1, 2, 1, 0.9)
        self.se[:, :, 1:] *= self.of(1.05, 1.02, 1, 0.5)[..., None]
        self.t = np.broadcast_to(10 * np.sqrt(N) / (1 + S), SHAPE).copy()
        self.t[:, :, 0] *= self.of(0.95, 0.6, 1, 1.1)
        self.t[TS, :, 0] *= np.array([[1], [0.9], [0.8]])
        self.t[:, :, 1] *= self.of(0.97, 0.98, 1, 2)
        self.t[:, :, 2] *= self.of(0.98, 1, 1, 3)
        self.singular = np.zeros((*SHAPE, SIMS), dtype=bool)
        self.singular[MM, :, :, :2, ::2] = self.singular[MM, :, 0, :, ::2] = True
        self.alarmed = self.singular.copy()
        self.example = {"cluster_robust": (1.05, 29.0), "two_stage": (1.0, 30.0), **EXAMPLE}

    @staticmethod
    def of(*factors: float) -> np.ndarray:
        """Return a factor for each strategy."""
        return np.array(factors)[:, None, None]

    def tables(self, sims: int = SIMS) -> tuple[pa.Table, pa.Table]:
        """Return scores and fits. All strategies are off alike on each dataset, but for a little.

        The middle of the noise is 1, so that the medians are those wanted.
        """
        rng = np.random.default_rng(4)
        half = np.exp(np.abs(0.05 * rng.standard_normal((*SHAPE[1:], sims // 2))))
        noise = np.concatenate([half, 1 / half, np.ones((*SHAPE[1:], sims % 2))], axis=-1)
        noise = noise * np.exp(0.001 * rng.standard_normal((*SHAPE, sims)))
        at = np.indices(noise.shape).reshape(5, -1)
        keys = {"sim": at[4], "strategy": np.array([*LABELS.values()])[at[0]]}
        for place, (factor, levels) in enumerate(GRID.items(), 1):
            keys[factor] = np.array(levels)[at[place]]
        metrics = {"coef_abs_err": self.err, "se_sum": self.se, "t_sum": self.t}
        scores = {name: (of[..., None] * noise).reshape(-1) for name, of in metrics.items()}
        singular, alarmed = (of[..., :sims].reshape(-1) for of in (self.singular, self.alarmed))
        quiet = np.zeros(len(singular), dtype=bool)
        fits = {
            "status": np.where(singular, "singular", "ok").astype(object),
            "singular": singular,
            "optimizer_warning": quiet,
            "gradient_warning": quiet,
            "hessian_warning": alarmed,
        }
        mixed = np.random.default_rng(5).permutation(len(singular))
        return tuple(
            pa.Table.from_pandas(pd.DataFrame({**keys, **of}).iloc[mixed], preserve_index=False)
            for of in (scores, fits)
        )

    def judged(self, sims: int = SIMS, verdicts: pa.Table | None = None) -> pd.DataFrame:
        """Return the statements by number."""
        example = {LABELS[name]: numbers for name, numbers in self.example.items()}
        table = conclusions(*self.tables(sims), LABELS, example, verdicts)
        assert table.schema == CONCLUSIONS
        return table.to_pandas().set_index("number")


def change(name: str, place: Any, factor: Any) -> Callable[[Made], None]:
    """Return what multiplies some medians by a factor."""

    def apply(made: Made) -> None:
        getattr(made, name)[place] *= factor

    return apply


def example(strategy: str, se: float, t: float) -> Callable[[Made], None]:
    """Return what changes the worked example."""
    return lambda made: made.example.update({strategy: (se, t)})


def failures(name: str, place: Any, value: bool) -> Callable[[Made], None]:
    """Return what changes which fits fail."""

    def apply(made: Made) -> None:
        getattr(made, name)[place] = value

    return apply


ALL = slice(None)
FALLING = ((1 + 0.05 * np.arange(5)) / (1 + 0.05 * np.arange(5))[::-1]) ** -1
CHANGES = [
    ({1}, example("mixed_intercept", 0.6, 44.0)),  # T 44/30 < 1.5
    ({1}, example("cluster_robust", 0.99, 29.0)),
    ({2, 10}, change("err", (MI, 2, 2, 0), 1.2)),
    ({2, 10}, change("err", (MI, 2, 2, 2), 1.2)),
    ({10}, change("err", (MI, 0, 2, 2), 1.2)),
    ({10}, change("err", (MI, 2, 2, 3), 1.2)),
    ({3}, change("err", (ALL, 0, 2, slice(2, None)), 0.4)),  # 3.16 * 0.4 < 1.5
    ({4}, change("err", (ALL, 2, 2, 0), 20)),  # from 40 * sqrt(10) to 6.3
    ({5}, change("err", (ALL, 1, 0, 4), 0.25)),  # 20 / sqrt(30) * 0.25 = 0.91
    ({6}, change("err", (TS, ALL, 0), 0.75)),  # 1.5 * 1.1 * 0.75 < 1.3
    ({6, 9}, change("err", (TS, ALL, 1), 1.8)),  # now most with 25
    ({7}, change("err", ([[CR], [TS], [MI]], ALL, 0), FALLING)),
    ({6, 7}, change("err", (MM, ALL, 0), 1.3)),
    ({8}, change("err", (CR, 0, 0, 0), 1.2)),
    ({8}, change("err", (MI, 0, 0, 0), 1.2)),
    ({9}, change("err", (CR, ALL, 1, slice(3)), 0.9)),  # worst in 6 of 15
    (set(), change("err", (CR, ALL, 1, 0), 0.9)),  # in 12
    ({11}, change("se", (CR, 0, 1, 1), 0.5)),
    ({11}, change("t", (TS, 2, 2, 3), 2)),
    ({12}, change("se", (TS, ALL, 0, slice(2)), 0.5)),  # in 9 of 15
    ({12}, change("t", (TS, ALL, 0, slice(2)), 2)),
    (set(), change("se", (TS, ALL, 0, 0), 0.5)),  # in 12
    ({13}, change("t", (TS, 2, 0), 1.3)),
    ({14}, change("t", (MI, 0, 1, slice(2, None)), 0.4)),
    ({14}, change("se", (MI, 0, 1, 4), 2.1)),
    ({11}, change("se", (MI, 0, 1, 0), 2.1)),  # 14 is of higher sigmas
    ({15}, change("t", (MI, ALL, 2), 0.4)),
    ({16}, change("t", (CR, 0), 0.7)),
    (set(), change("t", (CR, 0, ALL, 4), 0.7)),  # within in 42 of 45
    ({17}, failures("singular", (MI, 1, 1, 1, 0), True)),
    ({17}, failures("alarmed", (MI, 1, 1, 1, 0), True)),
    ({18}, failures("alarmed", ALL, False)),
    ({18}, failures("singular", (MM, ALL, slice(1, None), slice(2, None)), True)),
    ({19}, change("se", (TS, ALL, slice(1, None)), 2.5)),
    ({19}, change("se", (CR, ALL, slice(1, None)), 2.5)),
]

TWO_STAGE_MEAN = 1.5 * np.prod(1 + 0.05 * np.arange(5)) ** (1 / 5)


def cells(strategy: int, observations: int, count: int) -> tuple[Any, ...]:
    """Return the place of the first cells with some observations, cluster by cluster."""
    n, s = np.unravel_index(np.arange(count), (3, 5))
    return (strategy, n, observations, s)


NEAR = [
    (1, example("mixed_intercept", 0.6, 45.3), example("mixed_intercept", 0.6, 44.7)),  # 1.5
    (1, example("cluster_robust", 1.001, 29), example("cluster_robust", 1, 29)),
    (10, change("err", (MI, 0, 2, 2), 1.14 / 1.03), change("err", (MI, 0, 2, 2), 1.16 / 1.03)),
    (5, change("err", (ALL, 1, 0, 4), 0.29), change("err", (ALL, 1, 0, 4), 0.258)),  # 0.274
    (
        6,
        change("err", (TS, ALL, 0), 1.32 / TWO_STAGE_MEAN),
        change("err", (TS, ALL, 0), 1.28 / TWO_STAGE_MEAN),
    ),
    (8, change("err", (CR, 1, 0, 2), 0.91), change("err", (CR, 1, 0, 2), 0.89)),
    (8, change("err", (CR, 1, 0, 2), 1.09), change("err", (CR, 1, 0, 2), 1.11)),
    (7, change("err", cells(MM, 0, 5), 1.3), change("err", cells(MM, 0, 6), 1.3)),
    (9, change("err", cells(CR, 1, 5), 0.9), change("err", cells(CR, 1, 6), 0.9)),
    (12, change("se", cells(TS, 0, 3), 0.5), change("se", cells(TS, 0, 4), 0.5)),
    (16, change("t", cells(CR, 1, 4), 0.7), change("t", cells(CR, 1, 5), 0.7)),
    (16, change("t", cells(CR, 1, 5), 0.83 / 0.97), change("t", cells(CR, 1, 5), 0.77 / 0.97)),
    (16, change("t", cells(CR, 1, 5), 1.2 / 0.97), change("t", cells(CR, 1, 5), 1.3 / 0.97)),
]


@pytest.mark.parametrize(("number", "within", "beyond"), NEAR)
def test_on_either_side_of_a_limit(
    number: int, within: Callable[[Made], None], beyond: Callable[[Made], None]
) -> None:
    for apply, verdict in [(within, "holds"), (beyond, "does_not_hold")]:
        made = Made()
        apply(made)
        assert made.judged()["verdict"][number] == verdict


def test_all_hold_where_all_are_true() -> None:
    found = Made().judged()
    assert found.index.tolist() == [*range(1, 20)]
    assert set(found["verdict"]) == {"holds"}


@pytest.mark.parametrize(("false", "apply"), CHANGES)
def test_those_that_a_change_makes_false(false: set[int], apply: Callable[[Made], None]) -> None:
    made = Made()
    apply(made)
    verdict = made.judged()["verdict"]
    assert {*verdict.index[verdict == "does_not_hold"]} == false
    assert {*verdict.index[verdict == "holds"]} == {*range(1, 20)} - false


def test_what_is_within_monte_carlo_error_is_undecided() -> None:
    """The noise has a standard deviation of 5 %, so that medians of 24 sims are 1 % off."""
    made = Made()
    # Of two-stage at sigma 4 err at 10 x 100 is 1.774 times that at 100 x 5.
    made.err[:, 0, 2, 2:] *= 1.505 / 1.774
    # Of the maximal model at 10 x 100, sigma 4, it is 126.5 times that at 100 x 100, sigma 0.1.
    made.err[:, 2, 2, 0] *= 126.5 * 1.505 / 1.774 / 10.05
    verdict = made.judged()["verdict"]
    assert {*verdict.index[verdict == "undecided"]} == {3, 4}
    assert {*verdict.index[verdict == "holds"]} == {*range(1, 20)} - {3, 4}


def test_few_sims_decide_only_what_is_seen_without_medians() -> None:
    found = Made().judged(sims=5)
    assert found.index[found["verdict"] == "holds"].tolist() == [1, 17, 18]
    assert set(found["verdict"]) == {"holds", "undecided"}
    alone = Made().judged(sims=1)
    assert alone.index[alone["verdict"] == "holds"].tolist() == [1, 17]
    assert "nan" not in " ".join([*found["found"], *alone["found"]]).lower()


def test_sentences_have_the_numbers_and_their_errors() -> None:
    found = Made().judged()["found"]
    assert found[1] == (
        "T of the intercept-only model is 1.67 times the maximal model's; SE of cluster-robust is "
        "1.050 times the maximal model's."
    )
    start, rest = found[10].split("; ")
    assert start == "The ratio is at most 1.15 in 15 of 15 cells (for sure in 15, at most in 15)"
    assert rest.startswith("the largest is 1.03 (0.00), of intercept-only to maximal at ")
    assert found[4].startswith("The ratio is 126.")
    assert found[17] == (
        "Of 1,080 fits there failed 0 by the rules of lme4 up to 1.1-18 and 0 by the rules of lme4 "
        "since 1.1-19."
    )
    assert "49" not in found[18] and "50.0 % (" in found[18]


def test_without_a_worked_example_the_first_is_undecided() -> None:
    table = conclusions(*Made().tables(), LABELS)
    first, second, *_ = table.to_pylist()
    assert first["verdict"] == "undecided"
    assert second["verdict"] == "holds"


@pytest.mark.parametrize("strategy", ["two_stage", "mixed_intercept"])
def test_fits_without_numbers_are_left_out(strategy: str) -> None:
    """In a cell in which too few are left, nothing is sure."""
    made = Made()
    scores, fits = (table.to_pandas() for table in made.tables())
    mine = (scores["strategy"] == LABELS[strategy]) & (scores["clusters"] == 100)
    lost = mine & (scores["obs_per_cluster"] == 100) & (scores["between_cluster_sigma"] == 0.1)
    for sims, verdict in [(5, "holds"), (SIMS - 5, "undecided")]:
        some = scores.copy()
        some.loc[lost & (some["sim"] < sims), ["coef_abs_err", "se_sum", "t_sum"]] = np.nan
        tables = (pa.Table.from_pandas(of, preserve_index=False) for of in (some, fits))
        rows = conclusions(*tables, LABELS).to_pylist()
        assert {rows[1]["verdict"], rows[9]["verdict"]} == {verdict}
        assert rows[4]["verdict"] == "holds"


def test_other_studies_have_no_conclusions() -> None:
    scores, fits = Made().tables()
    without = {name: label for name, label in LABELS.items() if name != "two_stage"}
    assert conclusions(scores, fits, without).num_rows == 0
    kept = scores.to_pandas()
    fewer = pa.Table.from_pandas(kept[kept["between_cluster_sigma"] != 4], preserve_index=False)
    assert conclusions(fewer, fits, LABELS).num_rows == 0
    twice = (pa.concat_tables([table, table]) for table in (scores, fits))
    assert conclusions(*twice, LABELS).num_rows == 0


def test_more_levels_and_other_strategies_are_passed_over() -> None:
    made = Made()
    scores, fits = (table.to_pandas() for table in made.tables())

    def more(table: pd.DataFrame) -> pa.Table:
        other = table[table["clusters"] == 10]
        another = table[table["strategy"] == LABELS["two_stage"]]
        extra = [table, other.assign(clusters=20), another.assign(strategy="another")]
        return pa.Table.from_pandas(pd.concat(extra), preserve_index=False)

    expected = conclusions(*made.tables(), LABELS)
    assert conclusions(more(scores), more(fits), LABELS).equals(expected)


def verdict_row(**changes: Any) -> dict[str, Any]:
    row = {
        "clusters": 10,
        "obs_per_cluster": 5,
        "between_cluster_sigma": 1.0,
        "scope": "cell",
        "strategy": LABELS["mixed_intercept"],
        "measure": "false_positive_rate",
        "effect": None,
        "value": 0.2,
        "mcse": 0.03,
    }
    return row | changes


def test_what_is_shown_beside() -> None:
    rows = [
        verdict_row(),
        verdict_row(clusters=100, obs_per_cluster=100, value=0.8, mcse=0.04),
        verdict_row(between_cluster_sigma=0.1, value=0.06),
        verdict_row(value=None, mcse=None),
        verdict_row(scope="all", value=0.9),
        verdict_row(measure="coverage", value=0.1),
        verdict_row(strategy=LABELS["two_stage"], measure="power", effect=0.5, value=0.4),
        verdict_row(strategy=LABELS["two_stage"], measure="power", effect=0.8, value=0.6),
    ]
    types = pa.schema([(name, pa.int64()) for name in ("clusters", "obs_per_cluster")])
    for name in ("between_cluster_sigma", "effect", "value", "mcse"):
        types = types.append(pa.field(name, pa.float64()))
    for name in ("scope", "strategy", "measure"):
        types = types.append(pa.field(name, pa.string()))
    beside = Made().judged(verdicts=pa.Table.from_pylist(rows, types))["beside"]
    assert beside[14] == (
        "False positives by cell (sigma 1, 2 and 4): intercept-only 20.0 to 80.0 % (Monte Carlo "
        "error up to 4.0 points)."
    )
    assert "6.0 to 20.0 %" in beside[8] and "80" not in beside[8]
    assert beside[13].startswith(
        "Power at an effect of 0.5 by cell (5 observations): two-stage 40.0"
    )
    assert "no finite variance" in beside[13]
    assert beside[17] == (
        "Of 1,080 fits of intercept-only 0 are singular (a variance is 0 or a correlation 1 or "
        "-1), and the optimizer's checks complained of 0."
    )

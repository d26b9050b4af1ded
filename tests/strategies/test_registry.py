from __future__ import annotations

from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import yaml
from hypothesis import given, settings

from clustrategy import strategies
from clustrategy.core.errors import ConfigError
from clustrategy.core.fits import Fit, Fits, fit_each
from clustrategy.core.shard import Shard
from clustrategy.strategies import Registered, Strategy, registry
from tests.material import few, fit, join, needs_glmm, random_shard, same_bits, shards

# Every strategy that needs no R.
EVERY = [
    ("ols", {}),
    ("ols", {"engine": "statsmodels"}),
    ("cluster_robust", {}),
    ("cluster_robust", {"variance": "CR2", "df": "satterthwaite"}),
    ("cluster_robust", {"engine": "statsmodels"}),
    ("fixed_effects", {}),
    ("fixed_effects", {"engine": "statsmodels"}),
    ("wild_cluster_bootstrap", {}),
    ("wild_cluster_bootstrap", {"weights": "webb", "draws": 49}),
    ("gee", {"variance": "kauermann_carroll"}),
    ("gee", {"engine": "statsmodels"}),
    ("two_stage", {}),
    ("two_stage", {"weights": "precision", "test": "sign_flip"}),
    ("mixed_maximal", {}),
    ("mixed_maximal", {"df": "kenward_roger"}),
    ("mixed_uncorrelated", {}),
    ("mixed_intercept", {}),
    ("mixed_intercept", {"variance": "CR2"}),
    ("mixed_fallback", {}),
    ("mixed_selected", {}),
    pytest.param("mixed_maximal", {"engine": "glmm"}, marks=needs_glmm),
    pytest.param("mixed_intercept", {"engine": "glmm"}, marks=needs_glmm),
]


def test_strategies_and_engines_the_default_first():
    found = {name: list(engines) for name, engines in registry().items()}
    assert {
        "ols": ["numpy", "statsmodels"],
        "cluster_robust": ["numpy", "statsmodels"],
        "two_stage": ["numpy", "statsmodels"],
        "mixed_maximal": ["numpy", "glmm", "lme4", "lme4_unbounded"],
        "mixed_intercept": ["numpy", "glmm", "lme4", "lme4_unbounded"],
    }.items() <= found.items()


def test_what_a_config_writes_for_an_option_is_read_as_text():
    """Not as nothing or as true or false, as YAML reads null, on, no and the like."""
    for engines in registry().values():
        for entry in engines.values():
            for option, hint in get_type_hints(entry.function).items():
                words = get_args(hint) if get_origin(hint) is Literal else ()
                written = [option, *words]
                assert yaml.safe_load(f"[{', '.join(written)}]") == written


# --- entries ------------------------------------------------------------------------------


def test_a_name_alone_takes_all_defaults():
    found = Strategy.parse("mixed_maximal")
    assert (found.label, found.name, found.engine) == ("mixed_maximal", "mixed_maximal", "numpy")
    assert found.options == {}


def test_an_entry_in_full():
    entry = {
        "strategy": "cluster_robust",
        "name": "CR2",
        "engine": "numpy",
        "df": "satterthwaite",
        "variance": "CR2",
    }
    found = Strategy.parse(entry)
    assert (found.label, found.engine) == ("CR2", "numpy")
    assert found.options == {"variance": "CR2", "df": "satterthwaite"}
    assert found.spec == entry and Strategy.parse(found.spec) == found


def test_the_common_engine_serves_the_strategies_that_have_it():
    assert Strategy.parse("mixed_maximal", "lme4").engine == "lme4"
    assert Strategy.parse("two_stage", "lme4").engine == "numpy"
    assert Strategy.parse({"strategy": "mixed_maximal", "engine": "glmm"}, "lme4").engine == "glmm"


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("two_stag", r"unknown strategy 'two_stag' \(did you mean 'two_stage'\?\); known are "),
        ({"name": "x"}, "needs the key 'strategy'"),
        (
            {"strategy": "mixed_maximal", "engine": "lme"},
            r"no engine 'lme' \(did you mean 'lme4'\?\); it has numpy, glmm, lme4, lme4_unbounded",
        ),
        ({"strategy": "two_stage", "draws": 0}, "'two_stage': draws must be at least 1, found 0"),
        ({"strategy": "wild_cluster_bootstrap", "draws": -1}, "draws must be at least 1, found -1"),
        ({"strategy": "ols", "name": ""}, "'name' of a strategy entry must be a line of text"),
        ({"strategy": "ols", "name": "a\nb"}, "'name' of a strategy entry must be a line of text"),
        ({"strategy": "two_stage", "df": "G-1"}, "no option 'df'; it takes weights, test, draws"),
        (
            {"strategy": "cluster_robust", "varianse": "CR2"},
            r"no option 'varianse' \(did you mean 'variance'\?\); it takes variance, df",
        ),
        (
            {"strategy": "cluster_robust", "variance": "CR4"},
            "variance must be one of CR0, CR1, CR1S, CR2, CR3, CV3, pymer4, found 'CR4'",
        ),
    ],
)
def test_what_does_not_exist_is_named_with_the_nearest_that_does(entry, sentence):
    with pytest.raises(ConfigError, match=sentence):
        Strategy.parse(entry)


def test_the_digest_follows_the_numbers_not_the_label():
    def digest(**entry: str) -> str:
        return Strategy.parse({"strategy": "cluster_robust", **entry}).digest

    assert digest() == digest(name="another label")
    assert len({digest(), digest(variance="CR2"), digest(engine="statsmodels")}) == 3


def test_the_code_of_a_strategy_is_what_it_computes_with():
    def files(**entry: str) -> set[str]:
        return {file.name for file in Strategy.parse(entry).code}

    assert {"two_stage.py", "least_squares.py", "shard.py"} <= files(strategy="two_stage")
    assert "models.py" not in files(strategy="two_stage")
    ours = files(strategy="mixed_maximal")
    assert {"fit.py", "reml.py", "optimizer.py", "satterthwaite.py", "models.py"} <= ours
    assert not {"glmm.py", "lme4.py"} & ours
    mixed = files(strategy="mixed_maximal", engine="glmm")
    assert not {"fit.py", "reml.py", "optimizer.py", "satterthwaite.py"} & mixed
    assert {"glmm.py", "models.py", "shard.py"} <= mixed and "lme4.py" not in mixed
    reference = files(strategy="mixed_maximal", engine="lme4")
    assert "lme4.py" in reference and "glmm.py" not in reference
    assert {"inference.py", "estimates.py"} <= mixed & reference


# --- what every strategy keeps to ---------------------------------------------------------


@pytest.mark.parametrize(("name", "entry"), EVERY)
def test_shapes_and_statuses(name, entry):
    shard = random_shard(1, 2, 6, 3, 8)
    found = fit(shard, name, **entry)
    assert found.estimate.shape == found.std_error.shape == found.df.shape == (2, 3)
    assert set(found.status) <= {"ok", "singular"}
    estimated = np.isfinite(found.estimate)
    assert estimated[:, 1:].all() and (estimated[:, 0].all() or name == "fixed_effects")
    assert np.array_equal(found.std_error > 0, estimated)
    tested = (found.df > 0) | ((found.p_value >= 0) & (found.conf_low < found.conf_high))
    assert np.array_equal(tested, estimated)


@pytest.mark.parametrize(("name", "entry"), EVERY)
@given(shard=shards())
@settings(few, max_examples=6)
def test_a_shard_gives_the_bits_of_its_datasets(name, entry, shard):
    together = fit(shard, name, **entry)
    alone = Fits.concatenate([fit(shard.dataset(sim), name, **entry) for sim in range(shard.sims)])
    # Some of these datasets have no predictor, or an exchangeable correlation out of its range.
    besides = ["undefined"] if name in ("fixed_effects", "gee") else []
    assert set(together.status) <= {"ok", "singular", *besides}
    assert same_bits(together, alone)
    assert list(together.message) == list(alone.message)


@pytest.mark.parametrize(("name", "entry"), EVERY)
def test_balanced_and_unbalanced_neighbours_do_not_change_a_bit(name, entry):
    parts = [random_shard(1, 2, 30, 4, 6), random_shard(2, 2, 30, 4, (6, 40))]
    together = fit(join(*parts, *parts[:1] * 10), name, **entry)
    alone = Fits.concatenate([fit(part, name, **entry) for part in (*parts, *parts[:1] * 10)])
    assert set(together.status) <= {"ok", "singular"}
    assert same_bits(together, alone)


def bad(kind: str) -> Shard:
    """A dataset of 5 clusters and 3 coefficients that cannot be analysed."""
    shard = random_shard(9, 1, 5, 3, 7)
    if kind == "nan in y":
        shard.y[3] = np.nan
    elif kind == "inf in X":
        shard.X[4, 1] = np.inf
    elif kind == "dependent predictors":
        shard.X[:, 2] = shard.X[:, 1]
    elif kind == "fewer rows than coefficients":
        shard = Shard(shard.y[:5], shard.X[:5], np.ones((1, 5), dtype=int), shard.terms)
        shard.X[:, 1:] = 0.0
    return shard


@pytest.mark.parametrize(
    "kind", ["nan in y", "inf in X", "dependent predictors", "fewer rows than coefficients"]
)
@pytest.mark.parametrize(("name", "entry"), EVERY)
def test_a_dataset_that_cannot_be_fitted_is_a_row_and_harms_no_neighbour(name, entry, kind):
    good = [random_shard(seed, 1, 5, 3, 7) for seed in (1, 2)]
    found = fit(join(good[0], bad(kind), good[1]), name, **entry)
    assert found.status[1] in ("undefined", "error") and found.message[1]
    assert np.isnan([found.estimate[1], found.std_error[1], found.df[1]]).all()
    for place, shard in ((0, good[0]), (2, good[1])):
        alone = fit(shard, name, **entry)
        assert found.status[place] == alone.status[0] in ("ok", "singular")
        for column in ("estimate", "std_error", "df", "reml_criterion", "sigma"):
            left, right = getattr(found, column)[place], getattr(alone, column)[0]
            assert np.array_equal(left, right, equal_nan=True)


def test_what_is_not_finite_is_said():
    found = fit(bad("nan in y"), "two_stage")
    assert (found.status[0], found.message[0]) == (
        "undefined",
        "the data hold values that are not finite",
    )


def test_whatever_a_strategy_throws_becomes_the_row_it_threw_for(monkeypatch):
    ols = registry()["ols"]["numpy"].function

    def moody(shard: Shard) -> Fits:
        if (shard.y > 1e6).any():
            raise ZeroDivisionError("no\n luck   today")
        return ols(shard)

    monkeypatch.setattr(strategies, "registry", lambda: {"moody": {"numpy": Registered(moody, "")}})
    parts = [random_shard(seed, 1, 4, 2, 5) for seed in range(3)]
    parts[1].y[0] = 1e7
    found = Strategy("moody", "moody", "numpy", {}).fit(join(*parts))
    monkeypatch.undo()
    assert list(found.status) == ["ok", "error", "ok"]
    assert found.message[1] == "no luck today"
    for place in (0, 2):
        assert np.array_equal(found.estimate[place], fit(parts[place], "ols").estimate[0])


# --- fits ---------------------------------------------------------------------------------


def test_a_first_failure_keeps_its_reason():
    fits = Fits.blank(3, 2)
    fits.estimate[:] = fits.std_error[:] = fits.df[:] = 1.0
    fits.fail(np.array([True, False, False]), "undefined", "first")
    fits.fail(np.array([True, True, False]), "error", ["a", "b", "c"])
    assert list(fits.status) == ["undefined", "error", "ok"]
    assert list(fits.message) == ["first", "b", ""]
    assert np.isnan(fits.estimate[:2]).all() and (fits.estimate[2] == 1).all()


def test_concatenate_pads_theta():
    both = Fits.concatenate([Fits.blank(1, 2, theta=1), Fits.blank(2, 2, theta=3)])
    both.theta[0, 0] = 1.0
    assert both.theta.shape == (3, 3) and np.isnan(both.theta[0, 1:]).all()
    assert both.estimate.shape == (3, 2) and len(both.status) == 3


def test_fit_each_passes_over_what_has_failed_and_keeps_exceptions_as_rows():
    shard = random_shard(1, 3, 2, 2, 3)
    out = Fits.blank(3, 2)
    out.fail(np.array([True, False, False]), "undefined", "before")
    seen = []

    def one(dataset: Shard) -> Fit:
        seen.append(dataset.y[0])
        if len(seen) == 1:
            raise ValueError("")
        return Fit(np.ones(2), np.ones(2), np.ones(2), message="fine")

    found = fit_each(shard, one, out)
    assert seen == [shard.y[6], shard.y[12]]
    assert list(found.status) == ["undefined", "error", "ok"]
    assert list(found.message) == ["before", "ValueError", "fine"]

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from dataclasses import replace
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import yaml

from clustrategy.core.errors import ConfigError
from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Shard
from clustrategy.core.sources import PACKAGE
from clustrategy.engines.chosen import Strategy, registry
from clustrategy.strategies.registry import REGISTERED, Registered
from tests.material import fit, join, random_shard


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
            {"strategy": "wild_cluster_bootstrap", "nulls": [[[0.5]]]},
            r"no option 'nulls'.*; it takes variant, impose_null, weights, draws$",
        ),
        (
            {"strategy": "two_stage", "nulls": None},
            r"no option 'nulls'.*; it takes weights, test, draws, small_clusters, adjust$",
        ),
        *(
            (
                {"strategy": "mixed", "random": random},
                rf"'mixed': random must be a list of names, at least one, found {found}$",
            )
            for random, found in (("IV1", "'IV1'"), ([], r"\[\]"), ([1], r"\[1\]"), (None, "None"))
        ),
        ({"strategy": "mixed", "random": ["a", "b", "a"]}, "'mixed': random lists 'a' twice$"),
        (
            {"strategy": "mixed", "df": "kenward_roger", "variance": "CR2"},
            "'mixed': df: kenward_roger goes with its own variance",
        ),
        (
            {"strategy": "cluster_robust", "varianse": "CR2"},
            r"no option 'varianse' \(did you mean 'variance'\?\); it takes variance, df",
        ),
        (
            {"strategy": "cluster_robust", "variance": "CR4"},
            "variance must be one of CR0, CR1, CR1S, CR2, CR3, CV3, pymer4, jackknife, found 'CR4'",
        ),
    ],
)
def test_what_does_not_exist_is_named_with_the_nearest_that_does(entry, sentence):
    with pytest.raises(ConfigError, match=sentence):
        Strategy.parse(entry)


def test_a_list_of_names_is_plain_in_json_and_takes_any_form():
    found = Strategy.parse({"strategy": "mixed", "random": ("IV1", "IV2"), "engine": "lme4"})
    assert json.loads(json.dumps(found.spec)) == found.spec == found.brief | {"engine": "lme4"}
    assert found.spec["random"] == ["IV1", "IV2"]
    again = Strategy.parse({"strategy": "mixed", "random": ["IV1", "IV2"], "engine": "lme4"})
    assert again == found == Strategy.parse(found.spec) and again.digest == found.digest
    default = Strategy.parse({"strategy": "mixed", "random": ["(Intercept)"]})
    assert "random" not in default.brief and default.digest != found.digest


def test_random_coefficients_are_those_of_the_model():
    terms = ("(Intercept)", "age", "arm[T.b]", "arm[T.c]", "arm[T.b]:age", "arm[T.c]:age")
    for names in (["arm"], ["(Intercept)", "arm[T.c]"], ["arm:age"]):
        Strategy.parse({"strategy": "mixed", "random": names}).check_terms(terms)
    for names, sentence in (
        (["age", "arms"], r"found 'arms' \(did you mean 'arm'\?\); the coefficients are .Interc"),
        (["arm[T.d]"], r"'arm\[T.d\]' \(did you mean 'arm\[T.[bc]\]'\?\)"),
    ):
        chosen = Strategy.parse({"strategy": "mixed", "random": names, "name": "ours"})
        with pytest.raises(ConfigError, match=f"^strategy 'ours': random must name .*{sentence}"):
            chosen.check_terms(terms)
    Strategy.parse("mixed_maximal").check_terms(())


def test_the_digest_follows_the_numbers_not_the_label():
    def digest(**entry: str) -> str:
        return Strategy.parse({"strategy": "cluster_robust", **entry}).digest

    assert digest() == digest(name="another label")
    assert len({digest(), digest(variance="CR2"), digest(engine="statsmodels")}) == 3


def closure(**entry: str) -> set[str]:
    """The paths in the package of the files that a strategy's fits come from."""
    return {str(file.relative_to(PACKAGE)) for file in Strategy.parse(entry).code}


@pytest.mark.parametrize(
    ("name", "engine"), [(name, engine) for name in registry() for engine in registry()[name]]
)
def test_the_code_of_a_strategy_is_of_core_estimation_strategies_and_its_own_engine(name, engine):
    found = closure(strategy=name, engine=engine)
    folders = {"core", "estimation", "strategies"} | ({"engines"} if engine != "numpy" else set())
    assert {file.split("/")[0] for file in found} == folders
    assert "strategies/registry.py" in found and "strategies/__init__.py" not in found
    adapters = found & {str(file.relative_to(PACKAGE)) for file in PACKAGE.glob("engines/*.py")}
    own = {
        "numpy": set(),
        "lme4_unbounded": {"lme4", "lme4_unbounded", "one_by_one"},
        "statsmodels": {"statsmodels_gee" if name == "gee" else "statsmodels"},
    }
    modules = own.get(engine, {engine, "one_by_one"})
    assert adapters == {f"engines/{module}.py" for module in modules}


def test_the_code_of_a_strategy_is_what_it_computes_with():
    search = {f"estimation/mixed/{m}.py" for m in ("fit", "reml", "optimizer", "satterthwaite")}
    two_stage = closure(strategy="two_stage")
    assert {
        "strategies/two_stage.py",
        "estimation/two_stage.py",
        "estimation/least_squares.py",
        "core/shard.py",
    } <= two_stage
    assert not any("mixed" in file for file in two_stage)
    ours = closure(strategy="mixed_maximal")
    assert search | {"estimation/mixed/models.py"} <= ours
    assert "estimation/mixed/selection.py" not in ours
    glmm = closure(strategy="mixed_maximal", engine="glmm")
    assert not search & glmm and "engines/lme4.py" not in glmm
    assert {"engines/glmm.py", "estimation/mixed/models.py", "core/shard.py"} <= glmm
    reference = closure(strategy="mixed_maximal", engine="lme4")
    assert "engines/lme4.py" in reference and "engines/glmm.py" not in reference


def test_whatever_a_strategy_imports_of_the_package_is_in_its_code():
    """Run in a process of its own, in which nothing else has been imported."""
    script = """
import sys
from pathlib import Path
from clustrategy.core.sources import PACKAGE, sources
import clustrategy.estimation.{module}
loaded = {{Path(m.__file__) for n, m in sys.modules.items() if n.startswith("clustrategy.")}}
found = set(sources(PACKAGE / "estimation/{path}.py"))
missing = {{file for file in loaded - found if file.name != "__init__.py"}}
assert missing <= {{PACKAGE / "core/sources.py"}}, missing
assert found <= loaded, found - loaded
"""
    for module in ("two_stage", "gee", "within", "wild_bootstrap", "mixed.selection"):
        code = script.format(module=module, path=module.replace(".", "/"))
        subprocess.run([sys.executable, "-c", code], check=True)


def test_engines_import_no_expensive_package_before_they_fit():
    heavy = ("rpy2", "statsmodels", "pandas", "scipy.stats", "glmm")
    script = f"import sys, clustrategy.engines.chosen; assert not set({heavy}) & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


# --- fits that throw ----------------------------------------------------------------------


def test_whatever_a_strategy_throws_becomes_the_row_it_threw_for(monkeypatch):
    ols = REGISTERED["ols"]["numpy"].function

    def moody(shard: Shard) -> Fits:
        if (shard.y > 1e6).any():
            raise ZeroDivisionError("no\n luck   today")
        return ols(shard)

    monkeypatch.setitem(REGISTERED, "moody", {"numpy": Registered(moody)})
    parts = [random_shard(seed, 1, 4, 2, 5) for seed in range(3)]
    parts[1].y[0] = 1e7
    found = Strategy("moody", "moody", "numpy", {}).fit(join(*parts))
    assert list(found.status) == ["ok", "error", "ok"]
    assert found.message[1] == "no luck today"
    for place in (0, 2):
        assert np.array_equal(found.estimate[place], fit(parts[place], "ols").estimate[0])


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "the strategy's function must return Fits, found NoneType"),
        (Fits.blank(1, 3), "must return numbers of the shape (1, 2), found (1, 3)"),
        (Fits.blank(2, 2), "must return numbers of the shape (1, 2), found (2, 2)"),
        (Fits.blank(1, 2, nulls=4), "must return numbers of the shape (1, 2, 0), found (1, 2, 4)"),
    ],
)
def test_what_are_no_fits_of_the_shard_is_an_error(monkeypatch, returned, message):
    monkeypatch.setitem(REGISTERED, "odd", {"numpy": Registered(lambda shard: returned)})
    found = Strategy("odd", "odd", "numpy", {}).fit(random_shard(1, 1, 4, 2, 5))
    assert list(found.status) == ["error"] and message in found.message[0]
    assert found.estimate.shape == (1, 2)


@pytest.mark.parametrize("what", ["refusal", "resamples", "finite_variance", "versions"])
def test_what_is_registered_beside_a_function_and_fails_is_named(monkeypatch, what):
    def odd(*arguments, **options):
        raise KeyError("nothing")

    entry = Registered(REGISTERED["ols"]["numpy"].function, **{what: odd})
    monkeypatch.setitem(REGISTERED, "odd", {"numpy": entry})
    with pytest.raises(ConfigError, match=f"strategy 'odd': its {what} fails .KeyError: 'nothing'"):
        found = Strategy.parse("odd")
        _ = found.resamples, found.finite_variance(5, 1), found.digest


def test_annotations_that_cannot_be_read_are_named(monkeypatch):
    def odd(shard: Unheard) -> Fits: ...  # noqa: F821

    monkeypatch.setitem(REGISTERED, "odd", {"numpy": Registered(odd)})
    with pytest.raises(ConfigError, match=r"the annotations of odd in .*, line \d+ cannot be read"):
        Strategy.parse("odd")


# --- joint tests --------------------------------------------------------------------------


def test_groups_that_cannot_be_tested_say_why_and_harm_no_other():
    tests = Strategy.parse("ols").joint_tests(random_shard(1), [[1, 2], [], [1, 1]])
    assert np.isfinite(tests.p_value[:, 0]).all() and np.isnan(tests.p_value[:, 1:]).all()
    assert list(tests.message[0]) == [
        "",
        "the group has no coefficients",
        "the group names a coefficient twice",
    ]


def test_no_column_beyond_those_of_x_is_tested():
    for group in ([1, 3], [-1]):
        with pytest.raises(ValueError, match="columns must be between 0 and 2, found"):
            Strategy.parse("ols").joint_tests(random_shard(1), [group])


def test_an_engine_without_joint_tests_says_so():
    strategy = Strategy.parse({"strategy": "ols", "engine": "statsmodels"})
    tests = strategy.joint_tests(random_shard(1), [[1, 2]])
    assert set(tests.message[:, 0]) == {"the strategy has no joint test"}


def test_every_strategy_of_the_default_engine_has_joint_tests_with_its_options():
    for name, engines in registry().items():
        if (entry := engines.get("numpy")) is not None:
            options, own = (
                {
                    key: parameter.default
                    for key, parameter in inspect.signature(function).parameters.items()
                    if parameter.kind is parameter.KEYWORD_ONLY
                }
                for function in (entry.joint, entry.function)
            )
            assert options == own, name


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "joint tests must be JointTests, found NoneType"),
        (JointTests.blank(1, []), "joint tests must be of the shape (1, 1), found (1, 0)"),
    ],
)
def test_what_are_no_joint_tests_of_the_groups_is_said(monkeypatch, returned, message):
    entry = replace(REGISTERED["ols"]["numpy"], joint=lambda shard, groups: returned)
    monkeypatch.setitem(REGISTERED["ols"], "numpy", entry)
    tests = Strategy.parse("ols").joint_tests(random_shard(1, 1), [[1, 2]])
    assert tests.message[0, 0] == message and np.isnan(tests.p_value[0, 0])


def test_what_a_joint_test_throws_and_what_is_not_finite_is_a_message(monkeypatch):
    def broken(shard, groups):
        raise ArithmeticError("out of\ncheese")

    entry = REGISTERED["ols"]["numpy"]
    monkeypatch.setitem(REGISTERED["ols"], "numpy", replace(entry, joint=broken))
    tests = Strategy.parse("ols").joint_tests(random_shard(1, 2), [[1], [1, 2]])
    assert set(tests.message.ravel()) == {"out of cheese"}
    monkeypatch.undo()
    shard = join(random_shard(1, 1), random_shard(2, 1))
    shard.y[-1] = np.nan
    tests = Strategy.parse("ols").joint_tests(shard, [[1, 2]])
    assert list(tests.message[:, 0]) == ["", "the data hold values that are not finite"]
    assert list(np.isnan(tests.statistic[:, 0])) == [False, True]

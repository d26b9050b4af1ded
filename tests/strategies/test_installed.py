"""Strategies of installed distributions: found when they are asked for, and not before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.engines.chosen import Strategy, registry
from clustrategy.strategies.installed import load_installed
from clustrategy.strategies.registry import REGISTERED, forget
from tests.material import random_shard
from tests.own_strategies import HEAD, between, blank

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """A function that installs a distribution; what it registers is forgotten in the end."""
    monkeypatch.syspath_prepend(tmp_path)
    before = {(name, engine) for name in REGISTERED for engine in REGISTERED[name]}
    modules = set(sys.modules)

    def make(name: str, point: str, **files: str) -> None:
        for module, text in files.items():
            (tmp_path / f"{module}.py").write_text(text)
        folder = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[clustrategy.strategies]\nsome = {point}\n")
        load_installed.cache_clear()

    yield make
    load_installed.cache_clear()
    forget({(name, engine) for name in REGISTERED for engine in REGISTERED[name]} - before)
    for name in set(sys.modules) - modules:
        if Path(getattr(sys.modules[name], "__file__", None) or "").is_relative_to(tmp_path):
            del sys.modules[name]


@pytest.mark.parametrize("point", ["of_means", "of_means:between"])
def test_a_strategy_is_found_by_its_name(install: Install, point: str) -> None:
    install("means-of-clusters", point, of_means=between())
    assert "between" not in registry()
    found = Strategy.parse("between").fit(random_shard(1, 2, 9, 2, 5))
    assert list(found.status) == ["ok", "ok"]


def test_an_engine_is_found_by_its_name(install: Install) -> None:
    install("fast", "fast", fast=blank("ols").replace('"ols"', '"ols", engine="fast"'))
    assert Strategy.parse({"strategy": "ols", "engine": "fast"}).engine == "fast"


def test_what_is_known_is_not_looked_for(install: Install) -> None:
    install("late", "late", late="raise SystemExit")
    Strategy.parse({"strategy": "ols", "engine": "statsmodels"})
    assert "late" not in sys.modules
    with pytest.raises(ConfigError, match=r"'late' cannot be loaded \(SystemExit\)$"):
        Strategy.parse("between")


def test_names_of_installed_strategies_are_listed_and_suggested(install: Install) -> None:
    install("means", "of_means", of_means=between())
    with pytest.raises(ConfigError, match=r"'betwen' \(did you mean 'between'\?\); known are betw"):
        Strategy.parse("betwen")


@pytest.mark.parametrize(
    ("point", "text", "sentence"),
    [
        ("broken", "import nothing_at_all", "ModuleNotFoundError: No module named 'nothing_at_al"),
        ("absent", "", "ModuleNotFoundError: No module named 'absent'"),
        ("broken:between", blank("own"), "AttributeError: module 'broken' has no attribute 'betw"),
        ("broken", HEAD, "the module 'broken' registers none"),
        ("broken", blank("ols"), "ConfigError: strategy 'ols' has the engine 'numpy' already, by"),
        ("broken", f"{blank('own')}\n1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_broken_distribution_is_named(
    install: Install, point: str, text: str, sentence: str
) -> None:
    """And does no harm to the strategies of others."""
    install("not-whole", point, broken=text)
    install("means", "of_means", of_means=f"print('hello')\n{between()}")
    with pytest.raises(ConfigError) as raised:
        Strategy.parse("own")
    words = f"; the strategies of the distribution 'not-whole' cannot be loaded ({sentence}"
    assert words in str(raised.value)
    assert Strategy.parse("between").name == "between"
    assert "own" not in registry()


def test_a_name_of_its_own_costs_no_import() -> None:
    """The metadata of distributions are not read for the strategies of the package."""
    script = (
        "import sys; from clustrategy.engines.chosen import Strategy; Strategy.parse('two_stage'); "
        "from clustrategy.strategies.installed import load_installed as load; "
        "print(load.cache_info().misses)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "0\n"

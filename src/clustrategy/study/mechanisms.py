"""Data-generating mechanisms: options that go together, by name, as levels of one factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clustrategy.core.cells import MECHANISM, level
from clustrategy.core.errors import ConfigError, nearest
from clustrategy.core.validation import shown
from clustrategy.dgp.process import MECHANISMS
from clustrategy.study import config as configuration


def resolve_mechanisms(config: Mapping[str, Any], files: Sequence[str]) -> None:
    """Make the mechanisms of a config a factor of its grid: all of them, where it names none.

    Parameters
    ----------
    config : Mapping
        A whole config, whose grid is changed.
    files : sequence of str
        Where it was read from, for messages.

    Raises
    ------
    ConfigError
        Where the grid names one that is not there, or has a factor that one of them sets.
    """
    grid, mechanisms = config["grid"], config["dgp"].get(MECHANISMS, {})
    if mechanisms:
        grid.setdefault(MECHANISM, [*mechanisms])
    for name in grid.get(MECHANISM, ()):
        if name not in mechanisms:
            source = configuration.holder(files, ["grid", MECHANISM])
            if not mechanisms:
                raise ConfigError(
                    f"{source}: grid.{MECHANISM} needs dgp.{MECHANISMS}, which says what they are"
                )
            raise ConfigError(
                f"{source}: grid.{MECHANISM} must list names of dgp.{MECHANISMS}, found "
                f"{shown(name)}{nearest(name, [*mechanisms])}"
            )
    for name, options in mechanisms.items():
        for option in options:
            if option in grid:
                source = configuration.holder(files, ["dgp", MECHANISMS, name, option])
                raise ConfigError(
                    f"{source}: dgp.{MECHANISMS}.{name}.{option} stands in the grid, too: "
                    "an option is a factor or part of mechanisms"
                )


def options_in_one_form(dgp: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a process with their values in one form, as `cells.level` does."""
    return {
        option: {name: options_in_one_form(options) for name, options in value.items()}
        if option == MECHANISMS
        else level(option, value)
        for option, value in dgp.items()
    }

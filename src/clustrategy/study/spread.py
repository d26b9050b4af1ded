"""How a config says how much clusters differ: by one sigma, or by an ICC and the slopes' SD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

from clustrategy.core.errors import ConfigError
from clustrategy.dgp.process import MECHANISMS
from clustrategy.study import config as configuration

BY_SIGMA, BY_ICC = ("between_cluster_sigma", "sigma_ratios"), ("icc", "slope_sd")

EXAMPLE = {"between_cluster_sigma": 0.25, "icc": 0.1}
"""How much the clusters of the worked example differ, where nothing says it."""


def latest_spread(config: Mapping[str, Any], files: Sequence[str]) -> dict[str, Any]:
    """Return a config in which a file's way to say how clusters differ replaces an earlier one's.

    Files are merged, so that a file with an `icc` that is laid over one with a
    `between_cluster_sigma` has both. Where both are said last in the same file, both stay.

    Parameters
    ----------
    config : Mapping
        As read from YAML and merged; it need not be valid.
    files : Sequence of str
        Where it was read from, later ones over earlier ones. What none of them says was said after
        them, on the command line.
    """
    kept = {
        name: dict(part) if isinstance(part, Mapping) else part for name, part in config.items()
    }
    _drop_earlier(kept, ("grid", "dgp"), ("grid", "dgp"), files)
    # The example has what the design says in `dgp`, and what it says itself.
    _drop_earlier(kept, ("worked_example", "dgp"), ("worked_example",), files)
    return kept


def check_spread(config: dict[str, Any], files: Sequence[str]) -> None:
    """Fill in how much clusters differ in the worked example.

    Parameters
    ----------
    config : dict
        A valid config with a grid; it is changed in place.
    files : Sequence of str
        Where it was read from, for messages.

    Raises
    ------
    ConfigError
        Where nothing says how much the clusters of the grid differ.
    """
    grid, dgp, example = config["grid"], config["dgp"], config["worked_example"]
    said = {*grid, *dgp, *chain(*dgp.get(MECHANISMS, {}).values())}
    if said.isdisjoint(("between_cluster_sigma", *BY_ICC)):
        raise ConfigError(
            f"{configuration.holder(files, ['grid'])}: grid lacks the key 'between_cluster_sigma', "
            "or 'icc', which may stand in dgp"
        )
    if not {"between_cluster_sigma", "icc"} & {**dgp, **example}.keys():
        way = "icc" if "slope_sd" in {**dgp, **example} else "between_cluster_sigma"
        example[way] = EXAMPLE[way]


def _drop_earlier(
    config: Mapping[str, Any], sections: Sequence[str], ours: Sequence[str], files: Sequence[str]
) -> None:
    """Drop, from some of the sections, the keys of the way that is said last in an earlier file."""
    ways = [
        [(section, key) for section in sections for key in _of_way(config, section, way)]
        for way in (BY_SIGMA, BY_ICC)
    ]
    if not all(ways):
        return
    loaded = [_load(file) for file in files]
    last = [max(_last(loaded, section, key) for section, key in way) for way in ways]
    for way, own, other in zip(ways, last, reversed(last), strict=True):
        for section, key in way:
            if own < other and section in ours:
                del config[section][key]


def _of_way(config: Mapping[str, Any], section: str, way: Sequence[str]) -> list[str]:
    """List which keys of a way a section has."""
    part = config.get(section)
    return [key for key in way if isinstance(part, Mapping) and key in part]


def _last(files: Sequence[Mapping[str, Any]], section: str, key: str) -> int:
    """Return the place of the last file that says a key, or the number of files if none does."""
    says = [place for place, file in enumerate(files) if _of_way(file, section, [key])]
    return says[-1] if says else len(files)


def _load(file: str) -> Mapping[str, Any]:
    with suppress(ConfigError):
        return configuration.load(file)
    return {}

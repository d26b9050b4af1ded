"""The verification's studies: their configs and where their results are.

There are two forms of each, `verification` and `verification-short`, which has fewer cells and
sims. A study's name consists of form and part, such as `verification-short-arms`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clustrategy.study.config import load

DEFAULT = "config/config.yaml"
PARTS = {part: f"config/verification-{part}.yaml" for part in ("arms", "slopes", "growth-curves")}
SHORT = "config/verification-short.yaml"
FORMS = {"verification": (), "verification-short": (SHORT,)}


def files(form: str, part: str) -> list[str]:
    """List the config files over the default one, later ones over earlier ones."""
    return [PARTS[part], *FORMS[form]]


def configs(form: str, found: Callable[[str], str] = str) -> list[dict[str, Any]]:
    """Return the config of each study as Snakemake puts it together.

    Parameters
    ----------
    form : str
        A key of `FORMS`.
    found : callable
        Returns where a config file is.
    """
    from snakemake.utils import update_config

    whole = []
    for part in PARTS:
        config = load(found(DEFAULT))
        for file in files(form, part):
            update_config(config, load(found(file)))
        whole.append({**config, "study": f"{form}-{part}"})
    return whole


def tables(form: str, name: str) -> list[str]:
    """List the files of a table, one for each study."""
    return [f"results/{form}-{part}/{name}.parquet" for part in PARTS]

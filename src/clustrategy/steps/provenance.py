"""Record where a study's numbers come from: config, seed, versions, command, start and end."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import distributions
from typing import Any

from clustrategy.core.digests import file_digest
from clustrategy.engines import lme4
from clustrategy.tables.files import write_text

STARTED = "CLUSTRATEGY_STARTED"
COMMAND = "CLUSTRATEGY_COMMAND"


def now() -> str:
    """Return the time as ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def provenance(config: Mapping[str, Any], audit: Mapping[str, Any], *, provenance: str) -> None:
    """Write the provenance of a run.

    Parameters
    ----------
    config : Mapping
        The resolved config. Of the files in `strategies_from` the SHA-256 are recorded.
    audit : Mapping
        The versions of the references, and why references were left out.
    provenance : str
        The JSON file to write. Start and command come from the environment variables
        `CLUSTRATEGY_STARTED` and `CLUSTRATEGY_COMMAND`, which the Snakefile sets.
    """
    packages = {d.metadata["Name"]: d.version for d in distributions()}
    content = {
        "command": os.environ.get(COMMAND),
        "start": os.environ.get(STARTED),
        "end": now(),
        "seed": config["seed"],
        "config": dict(config),
        "strategies_from": {file: file_digest(file) for file in config["strategies_from"]},
        "audit": dict(audit),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
        "r": _r(),
    }
    write_text(json.dumps(content, indent=1) + "\n", provenance)


def _r() -> dict[str, str] | None:
    """Return the versions of R and its packages, nothing where there is no R."""
    try:
        return lme4.installed()
    except FileNotFoundError:
        return None

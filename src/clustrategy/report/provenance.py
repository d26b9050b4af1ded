"""Why to believe the numbers: the audit, versions, and how to have them again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import requires
from typing import Any


def audit_table(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Take apart what the audit said.

    Parameters
    ----------
    text : str
        The content of audit.txt.

    Returns
    -------
    str
        The first line: what was audited by what.
    list of (str, str)
        What each further line is about, and what it says.

    Examples
    --------
    >>> lines = ["Audit: 4 datasets by lme4.", "  least squares: 8 fits", "  lme4 warned in 0 fits"]
    >>> audit_table(chr(10).join(lines))
    ('4 datasets by lme4.', [('least squares', '8 fits'), ('lme4', 'warned in 0 fits')])
    """
    first, *rest = text.strip().splitlines() or [""]
    lines = []
    for line in map(str.strip, rest):
        about, colon, said = line.partition(": ")
        # A colon further on belongs to what is said, which begins with its engine.
        lines.append((about, said) if colon and not re.search(r"\d", about) else _split(line))
    first = first.removeprefix("Audit: ")
    return first[:1].upper() + first[1:], lines


def _split(line: str) -> tuple[str, str]:
    engine, _, said = line.partition(" ")
    return engine, said


def versions(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List the versions that the numbers rest on: Python, what this package needs, and R's.

    Parameters
    ----------
    provenance : mapping
        The content of provenance.json.
    """
    packages: Mapping[str, str] = provenance["packages"]
    by_name = {name.lower().replace("_", "-"): name for name in packages}
    needed = [one for one in requires("clustrategy") or [] if "extra ==" not in one]
    names = ["clustrategy", *(re.split(r"[^\w.-]", one)[0].lower() for one in needed)]
    found = [by_name[name] for name in names if name in by_name]
    r: Mapping[str, str] = provenance["r"] or {}
    return [
        ("Python", provenance["python"]),
        *((name, packages[name]) for name in found),
        *((name, r[name]) for name in ("R", "lme4", "lmerTest") if name in r),
    ]


def others(provenance: Mapping[str, Any], shown: Sequence[tuple[str, str]]) -> str:
    """Return all other packages with their versions, as one line."""
    known = {name for name, _ in shown}
    rest = {**provenance["packages"], **(provenance["r"] or {})}
    return ", ".join(f"{name} {version}" for name, version in rest.items() if name not in known)

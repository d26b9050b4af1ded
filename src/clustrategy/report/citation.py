"""How to cite the software, from CITATION.cff."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Citation:
    """A reference to the software.

    Attributes
    ----------
    text : str
        For a list of references.
    bibtex : str
    """

    text: str
    bibtex: str


def citation(path: str | Path, year: str) -> Citation:
    """Read a citation.

    Parameters
    ----------
    path : str or Path
        A CITATION.cff.
    year : str
        That of the version, where the file has no date of its release.
    """
    known = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    authors = [
        one.get("name")
        or f"{one.get('family-names', '')}, {one.get('given-names', '')}".strip(", ")
        for one in known["authors"]
    ]
    year = str(known.get("date-released", year))[:4]
    title, version = known["title"], known["version"]
    where = known.get("url") or known.get("repository-code")
    text = f"{'; '.join(authors)} ({year}). {title}, version {version}."
    entry = {
        # Braces of their own: a name that is not a person's is not taken apart.
        "author": " and ".join(f"{{{one}}}" if "," not in one else one for one in authors),
        "title": f"{{{title}}}",
        "year": year,
        "version": version,
        "url": where,
    }
    lines = [f"  {key} = {{{value}}}" for key, value in entry.items() if value]
    bibtex = "@software{clustrategy,\n" + ",\n".join(lines) + "\n}"
    return Citation(f"{text} {where}" if where else text, bibtex)

"""Write the page of a study."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clustrategy.report.citation import citation
from clustrategy.report.own_table import OwnTable
from clustrategy.report.page import Found, render
from clustrategy.report.pictures import picture
from clustrategy.steps.own_estimates import RESERVATIONS, ROWS
from clustrategy.study.first_study import read_conclusions
from clustrategy.study.study import Study
from clustrategy.tables.files import read_parquet, write_text


def report(
    folder: str,
    config: Mapping[str, Any],
    remake: str,
    *,
    verdicts: str,
    fits: str,
    svg: Sequence[str],
    png: Sequence[str],
    audit: Sequence[str],
    provenance: str,
    cite: str | None,
    page: str,
    own: Mapping[str, str],
) -> None:
    """Write report.html.

    Parameters
    ----------
    folder : str
        Of the study, with its plan and tables.
    config : Mapping
        The resolved config.
    remake : str
        What makes a dataset again, less its own path.
    verdicts, fits : str
        Tables of the study.
    svg, png : sequence of str
        The files of its figures, in one order.
    audit : sequence of str
        The text of the audit, none where there is no audit.
    provenance : str
        The JSON file of that name.
    cite : str or None
        A CITATION.cff.
    page : str
        The file to write.
    own : Mapping of str to str
        The tables that a study on a table of one's own has besides, by the names of `OwnTable`.
    """
    known = json.loads(Path(provenance).read_text(encoding="utf-8"))
    said = [Path(file).read_text(encoding="utf-8") for file in audit]
    found = Found(
        verdicts=read_parquet(verdicts),
        fits=read_parquet(fits),
        pictures=[picture(*files) for files in zip(svg, png, strict=True)],
        conclusions=read_conclusions(folder),
        audit=said[0] if said else None,
        provenance=known,
        citation=None if cite is None else citation(cite, known["end"][:4]),
        remake=remake,
        explorer=Path(page).with_name("explorer.html").exists(),
        own=_own(own),
    )
    write_text(render(Study.from_config(config), found), page)


def _own(files: Mapping[str, str]) -> OwnTable:
    tables = {name: read_parquet(file) for name, file in files.items()}
    design = tables.get("design")
    metadata = {} if design is None else design.schema.metadata
    return OwnTable(
        **tables,
        rows=metadata.get(ROWS.encode(), b"").decode(),
        reservations=json.loads(metadata.get(RESERVATIONS.encode(), b"[]")),
    )

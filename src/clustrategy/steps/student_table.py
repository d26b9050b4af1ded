"""Take the student example's table out of the downloaded archive."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clustrategy.examples.student_table import Settings, extract
from clustrategy.tables.files import write_whole


def student_table(archive: str | Path, table: str | Path, settings: Mapping[str, Any]) -> None:
    """Write the table that an archive holds, its checksum verified.

    Parameters
    ----------
    archive : str or Path
        The downloaded archive.
    table : str or Path
        The file to write.
    settings : Mapping
        The config's `student`.
    """
    content = extract(archive, Settings(**settings))
    write_whole(table, lambda beside: beside.write_bytes(content))

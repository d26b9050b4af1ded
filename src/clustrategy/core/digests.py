"""Digests of plain values, by which results are judged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def digest(*values: object) -> str:
    """Digest plain values: numbers, text, lists and mappings.

    Returns
    -------
    str
        A SHA-256 in hexadecimal digits. The order of a mapping's keys is of no account.
    """
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: str | Path) -> str:
    """Digest a file's bytes, as `sha256sum` does."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

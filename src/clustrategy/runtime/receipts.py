"""Receipts: what a job's files were made from, and what they held when they were whole.

By them results are judged by content: a file that was made from something else than the study now
says, or that is damaged, or that nobody knows of, is made again, whatever Snakemake remembers and
whatever the clock says.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

from clustrategy.core.digests import file_digest
from clustrategy.tables.files import write_text


def receipt_file(log: str | Path) -> Path:
    """Return the receipt of a job: it stands beside the job's log, in a folder of its own."""
    path = Path(log)
    parts = list(path.with_suffix(".json").parts)
    place = len(parts) - 1 - parts[::-1].index("logs")
    return Path(*parts[:place], "receipts", *parts[place + 1 :])


def write_receipt(log: str | Path, made_from: str, files: Iterable[str]) -> None:
    """Write a job's receipt.

    Parameters
    ----------
    log : str or Path
        The job's log.
    made_from : str
        A digest of what its files are made from.
    files : iterable of str
        The files, which are there.
    """
    content = {"made_from": made_from, "files": {file: file_digest(file) for file in files}}
    write_text(json.dumps(content, indent=1) + "\n", receipt_file(log))


def are_good(log: str | Path, made_from: str, files: Iterable[str]) -> bool:
    """Say whether a job's files are there, whole, and made from what they are to be made from."""
    try:
        receipt = json.loads(receipt_file(log).read_text(encoding="utf-8"))
        known = receipt["files"]
        return receipt["made_from"] == made_from and all(
            known[file] == file_digest(file) for file in files
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def remove_unwanted(folder: str, rules: Iterable[str], wanted: Collection[str]) -> None:
    """Remove files of a study that its config does not ask for any more.

    Parameters
    ----------
    folder : str
        Of the study.
    rules : iterable of str
        Whose receipts are looked through: `<rule>.json`, and all in a folder `<rule>/`.
    wanted : collection of str
        The files that the study has.
    """
    for rule in rules:
        place = Path(folder, "receipts", rule)
        for receipt in [place.with_suffix(".json"), *place.rglob("*.json")]:
            try:
                files = set(json.loads(receipt.read_text(encoding="utf-8"))["files"])
            except (OSError, ValueError, KeyError, TypeError):
                continue
            for file in files - set(wanted):
                Path(file).unlink(missing_ok=True)
            if files.isdisjoint(wanted):
                receipt.unlink(missing_ok=True)

"""Fit the first sims of every cell again by reference engines, and hold the two side by side."""

from __future__ import annotations

from clustrategy.study.audits import AuditedBlocks
from clustrategy.study.packs import carry
from clustrategy.study.plan import read_plan


def audit_shards(pack: str, *, folder: str, receipt: str) -> None:
    """Audit the blocks of a pack.

    Parameters
    ----------
    pack : str
        The name of the pack.
    folder : str
        Of the study, with its plan.
    receipt : str
        The file to write when all is done; the packs are in a file beside it.

    Raises
    ------
    DataError
        Where the files of the plan or the packs are not those of this run.
    """
    carry(pack, receipt, AuditedBlocks.of(read_plan(folder)).make)

"""Carry the blocks of a pack through simulate, fit and score."""

from __future__ import annotations

from functools import partial

from clustrategy.study.packs import carry
from clustrategy.study.plan import read_plan
from clustrategy.study.shards import make


def simulate_fit_score(pack: str, *, folder: str, receipt: str) -> None:
    """Make the shards of the blocks of a pack, as far as they are not good already.

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
    carry(pack, receipt, partial(make, read_plan(folder).recipe, folder))

"""Carry the blocks of a pack through simulate, fit and score."""

from __future__ import annotations

import json
from pathlib import Path

from clustrategy.study.packs import PACKS, pack_of
from clustrategy.study.plan import read_plan
from clustrategy.study.shards import make
from clustrategy.tables.files import write_text


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
    plan = read_plan(folder)
    blocks = pack_of(Path(receipt).with_name(PACKS), pack).blocks
    for block in blocks:
        make(plan.recipe, folder, block)
    write_text(json.dumps({"blocks": len(blocks)}) + "\n", receipt)

"""Datasets of a cell and their truth, however they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from clustrategy.core.cells import Level
from clustrategy.core.scenarios import SCENARIO
from clustrategy.core.shard import Floats, Shard
from clustrategy.dgp.draw import simulate
from clustrategy.dgp.given import GivenProcess, draw_given
from clustrategy.dgp.process import Process

AnyProcess = Process | GivenProcess


class Drawn(NamedTuple):
    """Datasets and the truth that generated them.

    Attributes
    ----------
    shard : Shard
        The S datasets.
    truth : (S, p) array
        The population coefficients.
    """

    shard: Shard
    truth: Floats


def draw(process: AnyProcess, seed: int, cell: Mapping[str, Level], sims: Sequence[int]) -> Drawn:
    """Draw some sims of a cell.

    Parameters
    ----------
    process : Process or GivenProcess
        The data-generating process of the cell.
    seed : int
        The study's seed.
    cell : Mapping
        The levels that identify the cell; on a given design, its scenario.
    sims : Sequence of int
        The numbers of the sims. Each is the same whatever stands beside it.
    """
    if isinstance(process, GivenProcess):
        shard = draw_given(process, seed, str(cell[SCENARIO]), sims)
        return Drawn(shard, np.zeros((shard.sims, shard.p)))
    simulation = simulate(process, seed, cell, sims)
    return Drawn(simulation.shard, simulation.truth)

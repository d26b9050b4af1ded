"""The resolved plan of a study: which blocks there are and what they are made from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from clustrategy.core.cells import Cell
from clustrategy.core.digests import digest
from clustrategy.core.errors import DataError
from clustrategy.study.blocks import Block
from clustrategy.study.recipe import Recipe
from clustrategy.tables.files import write_text

FILE = "study.json"


@dataclass(frozen=True)
class Plan:
    """What a study consists of, as plain values that a file can hold.

    Attributes
    ----------
    study, version : str
        The study's name and the version of this package.
    folder : str
        Where the results are.
    recipe : Recipe
        What the shards are made from.
    labels : sequence of str
        The strategies in the order of tables and figures.
    cells : sequence of Cell
        In the order of the tables.
    cuts : sequence of sequence of (int, int)
        The first and the last sim of each block of each cell.
    audit : mapping, optional
        The fields of `audits.Audit`, where there is one.
    """

    study: str
    version: str
    folder: str
    recipe: Recipe
    labels: Sequence[str]
    cells: Sequence[Cell]
    cuts: Sequence[Sequence[tuple[int, int]]]
    audit: Mapping[str, Any] | None = None

    def blocks_of(self, place: int) -> list[Block]:
        """Return the blocks of the cell at a place."""
        return [Block(self.cells[place], first, last) for first, last in self.cuts[place]]

    @cached_property
    def blocks(self) -> list[Block]:
        """All blocks, in the order of cells and sims."""
        return [block for place in range(len(self.cells)) for block in self.blocks_of(place)]

    @cached_property
    def digest(self) -> str:
        """Changes with whatever the whole tables of the study are made from."""
        content = self._content()
        del content["cuts"], content["audit"], content["effects"], content["keep_datasets"]
        del content["strategies_from"], content["given"]
        ends = [cuts[-1][1] for cuts in self.cuts]
        return digest(content, ends, self.recipe.digest)

    def _content(self) -> dict[str, Any]:
        recipe = self.recipe
        return {
            "study": self.study,
            "version": self.version,
            "seed": recipe.seed,
            "dgp": recipe.dgp,
            "strategies": recipe.strategies,
            "effects": recipe.effects,
            "keep_datasets": recipe.keep_datasets,
            "strategies_from": recipe.strategies_from,
            "given": recipe.given,
            "labels": self.labels,
            "cells": self.cells,
            "cuts": self.cuts,
            "audit": self.audit,
        }

    def write(self) -> None:
        """Write the plan into the study's folder; a file that says the same is left alone."""
        content = self._content()
        text = json.dumps({"digest": digest(content), **content}, indent=1) + "\n"
        path = Path(self.folder, FILE)
        try:
            if path.read_text(encoding="utf-8") == text:
                return
        except (OSError, ValueError):
            pass
        write_text(text, path)


def stored(folder: str) -> dict[str, Any] | None:
    """Return what the plan in a folder says; None where there is none, or a damaged one."""
    try:
        content = json.loads(Path(folder, FILE).read_text(encoding="utf-8"))
        said = content.pop("digest")
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return None
    return content if said == digest(content) else None


def read_plan(folder: str) -> Plan:
    """Read the plan in a study's folder.

    Raises
    ------
    DataError
        Where there is none, or a damaged one.
    """
    content = stored(folder)
    if content is None:
        raise DataError(f"{folder}/{FILE}: is not there or damaged; run again")
    names = ("seed", "dgp", "strategies", "effects", "keep_datasets", "strategies_from", "given")
    recipe = Recipe(**{name: content.pop(name) for name in names}, folder=folder)
    return Plan(folder=folder, recipe=recipe, **content)

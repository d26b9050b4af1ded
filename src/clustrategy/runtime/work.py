"""What there is to be made of a study's shards, packed into jobs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from clustrategy.study.blocks import Block
from clustrategy.study.packs import (
    PACKS,
    PART,
    Judged,
    Pack,
    pack,
    read_packs,
    receipt,
    write_packs,
)


@dataclass(frozen=True)
class Work:
    """The jobs that a run has to do, as far as shards of one sort are concerned.

    Attributes
    ----------
    folder : str
        Where the packs and their receipts are.
    packs : dict of str to Pack
        By name. Where nothing is to be made: those of the run before, whose receipts are there.
    good, missing, stale : int
        How many blocks are taken over, and how many are made because shards are not there, or
        were made from something else.
    noun : str
        What the blocks are called.
    """

    folder: str
    packs: dict[str, Pack]
    good: int = 0
    missing: int = 0
    stale: int = 0
    noun: str = "blocks"

    @classmethod
    def of(cls, folder: str, judged: Iterable[Judged], cores: int, noun: str = "blocks") -> Work:
        """Pack what is to be made.

        Parameters
        ----------
        folder : str
            Where the packs and their receipts are.
        judged : iterable of Judged
            All blocks of the study.
        cores : int
            How many jobs can run at once.
        noun : str
            What the blocks are called.
        """
        everything = list(judged)
        tasks = [one.task for one in everything if one.task is not None]
        if tasks:
            packs = pack(tasks, cores, folder)
        else:
            packs = _done(folder, {one.block.path for one in everything})
        missing = sum(one.is_missing for one in everything if one.task is not None)
        good = len(everything) - len(tasks)
        return cls(folder, packs, good, missing, len(tasks) - missing, noun)

    @classmethod
    def frozen(cls, folder: str) -> Work:
        """Read the packs as the main process wrote them, for a job on another machine."""
        return cls(folder, read_packs(_file(folder)))

    @property
    def receipts(self) -> list[str]:
        """The receipts that the packs' jobs leave behind."""
        return [str(receipt(self.folder, name)) for name in self.packs]

    @property
    def blocks(self) -> list[Block]:
        """The blocks of all packs."""
        return [block for one in self.packs.values() for block in one.blocks]

    @property
    def seconds(self) -> float:
        """The CPU time that all packs take, estimated."""
        return sum(one.seconds for one in self.packs.values())

    @property
    def said(self) -> str:
        """How much is taken over and how much is made, where it is some of both."""
        if not self.good or not (self.missing or self.stale):
            return ""
        whole = self.good + self.missing + self.stale
        reasons = [
            f"{count:,} {words}"
            for count, words in (
                (self.missing, "missing or damaged"),
                (self.stale, "made from something else"),
            )
            if count
        ]
        return (
            f"{self.good:,} of {whole:,} {self.noun} are good and are taken over; "
            f"{self.missing + self.stale:,} will be made ({', '.join(reasons)})"
        )

    def freeze(self) -> None:
        """Write the packs for the jobs to read, and remove what jobs of others left behind."""
        write_packs(self.packs, _file(self.folder))
        keep = {_file(self.folder).name, *(f"{name}.json" for name in self.packs)}
        folder = Path(self.folder)
        for path in (*folder.glob("*.json"), *folder.glob(f"*{PART}")):
            if path.name not in keep:
                path.unlink(missing_ok=True)


def _done(folder: str, paths: Collection[str]) -> dict[str, Pack]:
    """Read the packs of the run before, as far as they are done and of blocks that there are."""
    return {
        name: one
        for name, one in read_packs(_file(folder)).items()
        if receipt(folder, name).exists() and all(block.path in paths for block in one.blocks)
    }


def _file(folder: str) -> Path:
    return Path(folder, PACKS)

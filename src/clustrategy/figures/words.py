"""The words that a figure carries in its file: what it found, what it measures, how to read it."""

from __future__ import annotations

from os import PathLike
from typing import NamedTuple
from xml.etree import ElementTree

SPACES = {"cc": "http://creativecommons.org/ns#", "dc": "http://purl.org/dc/elements/1.1/"}


class Words(NamedTuple):
    """What a figure says.

    Attributes
    ----------
    title, subtitle : str
        A sentence that states the finding; the measure, and what its marks are drawn for.
    caption : str
        How to read the figure, from how many sims it is, and what is left out.
    """

    title: str
    subtitle: str
    caption: str

    @property
    def description(self) -> str:
        """What a file has beside the title: the subtitle, and on the next line the caption."""
        return f"{self.subtitle}\n{self.caption}"


def words_of(path: str | PathLike[str]) -> Words:
    """Read the words of a figure from the metadata of the SVG file that `save` wrote of it."""
    work = ElementTree.parse(path).find(".//cc:Work", SPACES)
    if work is None:
        raise ValueError(f"{path}: a figure's SVG file was expected, found none of its metadata")
    title, description = (
        work.findtext(f"dc:{name}", "", SPACES) for name in ("title", "description")
    )
    subtitle, _, caption = description.partition("\n")
    return Words(title, subtitle, caption)

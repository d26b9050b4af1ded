"""Figures as parts of the page: what they say, and their picture in one address."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError

from clustrategy.core.errors import DataError
from clustrategy.figures.words import Words, words_of

LARGEST = 400_000
"""Bytes of an SVG that stands on the page; a larger one gives way to its PNG."""


_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}


@dataclass(frozen=True)
class Picture:
    """A figure on the page.

    Attributes
    ----------
    name : str
        The figure's name.
    words : Words
        Title, subtitle and caption.
    source : str
        The picture as a `data:` address, so that the page needs no other file. A picture in an
        `img` runs no script, whatever its file holds.
    """

    name: str
    words: Words
    source: str

    @property
    def wordless(self) -> bool:
        """Whether the picture is without the words; a PNG has them."""
        return self.source.startswith(f"data:{_TYPES['.svg']}")

    @property
    def alt(self) -> str:
        """What stands in for the picture: the finding and what is measured."""
        return f"{self.words.title} {self.words.subtitle}"


def picture(svg: str | Path, png: str | Path) -> Picture:
    """Read a figure.

    Parameters
    ----------
    svg, png : str or Path
        Its files; name and words are those of the first.

    Raises
    ------
    DataError
        Where a file cannot be read.
    """
    try:
        words = words_of(svg)
        chosen = Path(svg) if Path(svg).stat().st_size <= LARGEST else Path(png)
        content = base64.b64encode(chosen.read_bytes()).decode()
    except (OSError, ParseError, ValueError) as error:
        raise DataError(f"{svg}: is not a figure with words ({error}); delete it") from None
    return Picture(Path(svg).stem, words, f"data:{_TYPES[chosen.suffix]};base64,{content}")


FIRST = "false_positives"
"""The figure that belongs to the answer."""

SECTIONS: Mapping[str, Sequence[str]] = {
    "What the study started from": (
        "coefficient_recovery",
        "standard_errors",
        "t_statistics",
        "convergence",
    ),
    "Who keeps which promise": (
        "verdict_map",
        "type_i_error",
        "p_value_ecdf",
        "relative_error",
        "coverage",
        "zip_plot",
        "bias",
        "nested_loop",
        "lollipop",
    ),
    "Who finds most": ("power_curves", "power_by_effect", "power", "head_to_head"),
    "What the data are like": ("cluster_coefficients", "dependence"),
    "The audit": ("audit",),
}
"""The order of the other figures; one that is not named here comes last."""


def in_sections(pictures: Sequence[Picture]) -> list[tuple[str, list[Picture]]]:
    """Return the pictures by section, without that of the answer and without empty sections."""
    waiting = {one.name: one for one in pictures if one.name != FIRST}
    found = [
        (title, [waiting.pop(name) for name in names if name in waiting])
        for title, names in SECTIONS.items()
    ]
    return [(title, ones) for title, ones in (*found, ("Further", [*waiting.values()])) if ones]

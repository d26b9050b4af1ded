"""Where the table of a study on one's own data comes from, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any

from clustrategy.calibration.given_data import GivenData, read_given_data
from clustrategy.core.digests import digest, file_digest
from clustrategy.core.errors import ClustrategyError, DataError
from clustrategy.core.sources import PACKAGE, code_digest, sources
from clustrategy.design.checks import check
from clustrategy.design.from_table import Design, columns_of, design_from_table
from clustrategy.design.row_order import in_order

_LIBRARIES = ("numpy", "scipy", "pandas", "formulaic")


@dataclass(frozen=True)
class TableSource:
    """A file of the user's, and the formula that makes a design of it.

    Attributes
    ----------
    file : str
        The file, of any kind that `read_table` reads.
    formula : str
        As of `fit`.
    cluster, random : str, optional
        As of `fit`.
    order : str, optional
        The column by which the rows of a cluster are in an order.
    sheet : str, optional
        Of a workbook.
    """

    file: str
    formula: str
    cluster: str | None = None
    random: str | None = None
    order: str | None = None
    sheet: str | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> TableSource:
        """Take the section `data` of a config."""
        return cls(**{name: data[name] for name in cls.__annotations__})

    @cached_property
    def content(self) -> str:
        """A digest of the file.

        Raises
        ------
        DataError
            Where it cannot be read.
        """
        try:
            return file_digest(self.file)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "that is no path"
            raise DataError(f"{self.file}: cannot be read ({reason})") from None

    @cached_property
    def made_from(self) -> str:
        """A digest of the file and of how it is read."""
        how = [self.formula, self.cluster, self.random, self.order, self.sheet]
        return digest(self.content, how)

    @cached_property
    def code(self) -> str:
        """A digest of the code that reads the table and makes the scenarios."""
        code = code_digest(sources(PACKAGE / "calibration/table_source.py"))
        return digest(code, [version(name) for name in _LIBRARIES])

    @cached_property
    def _read(self) -> Design:
        from clustrategy.tables.user_files import read_table

        needed = columns_of(self.formula, self.cluster, self.order)
        data = read_table(self.file, columns=needed, sheet=self.sheet)
        try:
            rows = in_order(data, self.order, self.formula, self.cluster)
            design = design_from_table(rows, self.formula, self.cluster, self.random)
            check(design)
        except ClustrategyError as error:
            raise type(error)(f"{self.file}: {error}") from None
        return design

    def design(self) -> Design:
        """Read the table, once, and return its design.

        Raises
        ------
        DataError
            Where the file cannot be read, or is not what the formula needs; the sentence begins
            with the name of the file.
        """
        return self._read

    def given_data(self, folder: str) -> GivenData:
        """Return the design with its scenarios, those in the folder of a study if they are of it.

        Raises
        ------
        DataError
            As of `design`.
        """
        try:
            kept = read_given_data(folder)
        except DataError:
            kept = None
        if kept is not None and kept.origin == (self.made_from, self.code):
            return kept
        ordered = self.order is not None
        return GivenData.of(self.design(), self.made_from, ordered=ordered, code=self.code)

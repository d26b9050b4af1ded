"""Where the table comes from, and how it is read."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from clustrategy.core.errors import ClustrategyError, ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

_TIMEOUT = 10
_DEPTH = 4


@dataclass(frozen=True)
class Settings:
    """A config's `student`.

    Attributes
    ----------
    member : str
        The name of the table within a zip archive.
    formula : str
        The regression.
    cluster : str
        The column that says which cluster a row belongs to.
    file : str, optional
        A local copy of the table, CSV or zip archive.
    sha256 : str, optional
        The checksum of the table; None takes any table.
    url : str, optional
        The address of the archive.
    """

    member: str
    formula: str
    cluster: str
    file: str | None = None
    sha256: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Table:
    """Where the table comes from, for the rules.

    Attributes
    ----------
    settings : Settings
        The config's `student`.
    folder : str
        The folder where a downloaded table is kept.
    """

    settings: Settings
    folder: str

    @property
    def kept(self) -> str:
        """The path of the downloaded table."""
        return f"{self.folder}/{Path(self.settings.member).name}"

    @property
    def is_to_be_downloaded(self) -> bool:
        """Whether the table is neither configured as a local file nor there already."""
        return not self.settings.file and not Path(self.kept).exists()

    def path(self, _: object = None) -> str:
        """Return the file to read; end the process with one sentence if a local file is missing."""
        if not self.settings.file:
            return self.kept
        path = os.path.expanduser(self.settings.file)
        if not os.path.isfile(path):
            sys.exit(
                f"clustrategy: {path[:200]}: there is no such file (student.file in the config)"
            )
        return path

    def url(self) -> str:
        """Return the archive's URL; end the process with one sentence if it cannot be reached."""
        try:
            check_url(self.settings.url)
        except ClustrategyError as error:
            sys.exit(f"clustrategy: {error}")
        return str(self.settings.url)


@cache
def check_url(url: str | None) -> None:
    """Check that an archive can be downloaded.

    Raises
    ------
    ConfigError
        If it is no address of the web.
    DataError
        If the server cannot be reached or does not have it.
    """
    import requests

    if not str(url).startswith(("http://", "https://")):
        raise ConfigError(f"student.url must be an http or https address, found {url!r}")
    instead = "set student.file in the config to a local copy"
    try:
        with requests.get(str(url), stream=True, timeout=_TIMEOUT) as answer:
            status = answer.status_code
    except (requests.RequestException, ValueError):
        raise DataError(f"{url}: cannot be reached; connect to the network, or {instead}") from None
    if status != requests.codes.ok:
        raise DataError(
            f"{url}: the server answers with status {status}; correct student.url, or {instead}"
        )


def extract(archive: str | Path, settings: Settings) -> bytes:
    """Return the bytes of the table that a downloaded archive holds, its checksum verified."""
    remedy = "the download is not the table that was expected"
    return load(archive, settings, remedy, name=settings.url)


def load(path: str | Path, settings: Settings, remedy: str, name: str | None = None) -> bytes:
    """Return the bytes of the table in a CSV file, a zip archive or a zip archive in another one.

    Parameters
    ----------
    path : str or Path
        The file.
    settings : Settings
        The config's `student`.
    remedy : str
        What to do about a wrong checksum.
    name : str, optional
        What messages call the file, if not by its path.

    Raises
    ------
    DataError
        If there is no such table, or its sha256 is not the configured one.
    """
    name = name or str(path)
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror})") from None
    if zipfile.is_zipfile(io.BytesIO(content)):
        member = settings.member
        try:
            found = find_member(content, member)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            raise DataError(f"{name}: the archive cannot be read ({error})") from None
        if found is None:
            raise DataError(
                f"{name}: the archive holds no {member!r} (student.member in the config)"
            )
        content = found
    wanted, digest = settings.sha256, hashlib.sha256(content).hexdigest()
    if wanted and digest != wanted.lower():
        raise DataError(
            f"{name}: the table has the sha256 {digest}, but student.sha256 is {wanted}; {remedy}"
        )
    return content


def find_member(archive: bytes, name: str, depth: int = _DEPTH) -> bytes | None:
    """Return the bytes of a file in a zip archive, or in the zip archives that it holds."""
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        names = [entry for entry in files.namelist() if not entry.endswith("/")]
        for entry in names:
            if entry == name or entry.endswith(f"/{name}"):
                return files.read(entry)
        inner = [entry for entry in names if entry.lower().endswith(".zip")]
        for entry in inner if depth > 1 else []:
            content = files.read(entry)
            if zipfile.is_zipfile(io.BytesIO(content)):
                found = find_member(content, name, depth - 1)
                if found is not None:
                    return found
    return None


def read_csv(content: bytes, path: str | Path) -> pd.DataFrame:
    """Read a table whose columns are separated by semicolons, tabs or commas.

    Raises
    ------
    DataError
        If it is no such table.
    """
    import pandas as pd

    try:
        text = content.decode("utf-8-sig")
        header = text.partition("\n")[0]
        separator = next((mark for mark in ";\t" if mark in header), ",")
        return pd.read_csv(io.StringIO(text), sep=separator)
    except ValueError as error:  # pandas' own errors are of this kind
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: is not a CSV table ({reason})") from None

"""Which letters the bytes of a text file stand for."""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Iterator

import charset_normalizer

from clustrategy.core.errors import DataError, ReadAs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WITH_ZEROS = ["utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le"]
_PART = 2**22
_EVIDENCE = 2**16
"""So many bytes of lines with other than ASCII letters tell their encoding."""

_WESTERN = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüÿŒœ"
_SYMBOLS = "€£§°±·´×²³µªº½¼¾«»‘’“”„–—…¡¿¢¥©®\xa0"
_ODD = re.compile(rf"[^\x00-\x7f{_WESTERN}{_SYMBOLS}]|[£¥ª³¹¡¿¼¾º][^\W\d_]|[a-z][À-Ý]")
"""What Western words do not have, and other encodings of the same bytes do."""

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f\x7f]")


def to_utf8(content: bytes, path: object) -> bytes:
    """Return the text of a file in UTF-8, whatever it was in.

    Parameters
    ----------
    content : bytes
        All of the file.
    path : object
        What messages call it.

    Returns
    -------
    bytes
        Without a byte order mark.

    Warns
    -----
    ReadAs
        If the encoding is a guess: neither Unicode nor that of Western Europe (Windows-1252, which
        contains Latin-1).

    Raises
    ------
    DataError
        If it is no text, or lines of it are in several encodings.
    """
    mark, encoding = next(((m, name) for m, name in _MARKS if content.startswith(m)), (b"", ""))
    content = content[len(mark) :] if mark else content
    if not encoding and b"\0" in content[:_EVIDENCE]:
        encoding = _without_mark(content[:_EVIDENCE])
    if not encoding and not content.isascii() and _fault(content, "utf-8") is not None:
        if b"\0" in content:
            raise _no_text(path)
        encoding = _guess(content, path)
    if encoding:
        content = _recoded(content, encoding, path)
    # What once marked the end of a file.
    content = content.removesuffix(b"\x1a")
    if b"\0" in content or _CONTROL.search(content[:_EVIDENCE]):
        raise _no_text(path)
    return content


def _no_text(path: object) -> DataError:
    return DataError(f"{path}: is no table: it is neither text nor a kind of file that is known")


def _without_mark(start: bytes) -> str:
    """Return the UTF-16 that text with zero bytes is in, by where these are."""
    low, high = start[::2].count(0), start[1::2].count(0)
    if high > len(start) / 4 and low < high / 10:
        return "utf-16-le"
    return "utf-16-be" if low > len(start) / 4 and high < low / 10 else ""


def _fault(content: bytes, encoding: str) -> int | None:
    """Return the line, from 1, that is not in an encoding; None where all are."""
    line = 1
    try:
        for part in _decoded(content, encoding):
            line += part.count("\n")
    except UnicodeDecodeError as error:
        return line + error.object[: error.start].decode(encoding, "ignore").count("\n")
    return None


def _decoded(content: bytes, encoding: str) -> Iterator[str]:
    """Yield the text in parts: all at once would take up to four times its memory."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(content), _PART):
        yield decoder.decode(content[start : start + _PART], start + _PART >= len(content))


def _recoded(content: bytes, encoding: str, path: object) -> bytes:
    done = bytearray()
    try:
        for part in _decoded(content, encoding):
            done += part.encode()
    except UnicodeDecodeError:
        raise DataError(
            f"{path}: begins as {encoding.upper()}, but line {_fault(content, encoding):,} is not; "
            "save it anew as UTF-8"
        ) from None
    return bytes(done)


def _guess(content: bytes, path: object) -> str:
    """Return the encoding of text that is not in UTF-8."""
    lines: list[bytes] = []
    seen = {True: 0, False: 0}
    good = 0
    for line in re.finditer(rb"[^\r\n]*[\x80-\xff][^\r\n]*", content):
        lines.append(line[0][:_EVIDENCE])
        is_utf8 = _fault(line[0], "utf-8") is None
        if is_utf8 and not seen[True]:
            good = content.count(b"\n", 0, line.start()) + 1
        seen[is_utf8] += len(line[0]) - len(re.sub(rb"[\x80-\xff]", b"", line[0]))
        if sum(seen.values()) > _EVIDENCE:
            break
    if seen[True] > sum(seen.values()) / 3:
        # By chance a line of another encoding can be UTF-8, too, but not every third.
        raise DataError(
            f"{path}: is in several encodings: line {good:,} is UTF-8, line "
            f"{_fault(content, 'utf-8'):,} is not; save it anew as UTF-8"
        )
    joined = b"\n".join(lines)
    if _is_western(joined):
        return "cp1252"
    best = charset_normalizer.from_bytes(joined, cp_exclusion=_WITH_ZEROS).best()
    encoding = best.encoding if best else "latin-1"
    warnings.warn(
        f"{path}: is not in UTF-8 and is read as {encoding}, which is a guess; if letters are "
        "wrong, save it anew as UTF-8",
        ReadAs,
        stacklevel=2,
    )
    return encoding


def _is_western(lines: bytes) -> bool:
    """Tell whether bytes read as Windows-1252 make words of a Western European language."""
    try:
        text = lines.decode("cp1252")
    except UnicodeDecodeError:
        return False
    words = re.findall(r"\w*[^\x00-\x7f]\S*", text)
    letters = "".join(words)
    return 2 * sum(map(str.isascii, letters)) >= len(letters) and not any(map(_ODD.search, words))

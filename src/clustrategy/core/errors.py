"""The errors that a user may meet: each is one sentence, fit to be printed as it is."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

_LONGEST = 200
"""Letters of a message that somebody else wrote."""

_SHORT = 3
"""Words of so few letters are near another where they begin as it does."""


class ClustrategyError(Exception):
    """Base of the errors below; `str(error)` is one clear sentence."""


class ConfigError(ClustrategyError):
    """The config asks for something that does not exist or cannot be."""


class DataError(ClustrategyError):
    """A table or file is not what was expected."""


class EngineError(ClustrategyError):
    """An engine is not there or cannot be started."""


class ReadAs(UserWarning):
    """A file can be read in several ways; `str(warning)` says in one sentence which one it was."""


class RowsLeftOut(UserWarning):
    """Rows of a table are left out, as values are missing; `str(warning)` is one sentence."""


def in_words(error: BaseException) -> str:
    """Say on one short line what somebody else's error is: `ValueError: what it says`."""
    name = type(error).__name__
    try:
        said = " ".join(str(error).split())
    except Exception:
        return name
    said = "".join(one if one.isprintable() else "?" for one in said)
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."
    return f"{name}: {said}" if said else name


def nearest(word: object, known: Sequence[str]) -> str:
    """Suggest the nearest known word.

    Parameters
    ----------
    word : object
        What was found.
    known : sequence of str
        What could have been meant.

    Returns
    -------
    str
        ' (did you mean ...?)', or nothing where no known word is near. A part between underscores
        is as good as the word, and short words that begin otherwise are not near: `HC3` is no
        slip of the pen for `CV3`.
    """
    text = str(word)
    near = [one for one in known if text in one.split("_")]
    if len(near) != 1:
        near = get_close_matches(text, known, n=1, cutoff=0.5)
        if len(text) <= _SHORT and near and near[0][0] != text[:1]:
            near = []
    return f" (did you mean {near[0]!r}?)" if near else ""

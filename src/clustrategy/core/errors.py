"""The errors that a user may meet: each is one sentence, fit to be printed as it is."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches


class ClustrategyError(Exception):
    """Base of the errors below; `str(error)` is one clear sentence."""


class ConfigError(ClustrategyError):
    """The config asks for something that does not exist or cannot be."""


class DataError(ClustrategyError):
    """A table or file is not what was expected."""


class EngineError(ClustrategyError):
    """An engine is not there or cannot be started."""


class RowsLeftOut(UserWarning):
    """Rows of a table are left out, as values are missing; `str(warning)` is one sentence."""


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
        ' (did you mean ...?)', or nothing where no known word is near.
    """
    match = get_close_matches(str(word), known, n=1, cutoff=0.5)
    return f" (did you mean {match[0]!r}?)" if match else ""

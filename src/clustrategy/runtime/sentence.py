"""A user's error as the last words of a process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from clustrategy.core.errors import ClustrategyError


@contextmanager
def one_sentence() -> Iterator[None]:
    """End the process with one sentence where a user's error comes up."""
    try:
        yield
    except ClustrategyError as error:
        sys.exit(f"clustrategy: {error}")

"""Shared by the tests of the examples."""

from __future__ import annotations

import pytest

from clustrategy.examples.student_regressions import (
    Example,
)
from tests.examples.student import (
    made,
    twin,
)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The example on a table that has the regressions of the real one."""
    return made(tmp_path_factory.mktemp("student"), twin())

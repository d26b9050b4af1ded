"""A browser for the tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chromium import chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium, by Playwright; one for all tests of a process."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium here: make test installs one where it may")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Its sandbox needs a user that is not root.
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()

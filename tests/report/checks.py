"""What every page is held to."""

from __future__ import annotations

import re
from html.parser import HTMLParser


def check_alone(page: str) -> None:
    """Hold a page to need no other file, and to run no script."""
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources and all(source.startswith(("data:", "#")) for source in sources)
    assert "<script" not in page and "Content-Security-Policy" in page


def check_closed(page: str) -> None:
    """Hold a page to close every tag."""
    opened: list[str] = []

    class Check(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "link", "img", "br"):
                opened.append(tag)

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    Check().feed(page)
    assert opened == []

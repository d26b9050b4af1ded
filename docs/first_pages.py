"""Write docs/example_*.png, what the examples' reports begin with: python docs/first_pages.py.

It needs the finished examples in results/, the environment of `make test`, and Chromium.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

EXAMPLES = ("student", "cluster-trial", "repeated-measures")
WIDTH = 1000


def main() -> None:
    """Take each report from its title to the end of its recommendation."""
    with sync_playwright() as play:
        path = shutil.which("chromium")
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 1400})
        for name in EXAMPLES:
            page.goto(Path("results", name, "report.html").resolve().as_uri())
            below = page.evaluate("document.querySelector('#evidence').getBoundingClientRect().top")
            clip = {"x": 0, "y": 0, "width": WIDTH, "height": below}
            page.screenshot(path=f"docs/example_{name}.png", clip=clip, full_page=True)
        browser.close()


if __name__ == "__main__":
    main()

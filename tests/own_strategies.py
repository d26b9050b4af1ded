"""A strategy of one's own: the one that the README shows, as a file that a config can name."""

from __future__ import annotations

from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
FILE = "my_strategies.py"
HEAD = "from clustrategy.strategies import Fits, Shard, fit_each, strategy\n\n\n"
BLANK = """
@strategy("{name}")
def {name}(shard: Shard) -> Fits:
    return Fits.blank(shard.sims, shard.p)
"""
"""A strategy that computes nothing."""


def between() -> str:
    """Return the README's example, whole."""
    after = README.read_text(encoding="utf-8").split("## Adding a strategy", 1)[1]
    return after.split("```python\n", 1)[1].split("```", 1)[0]


def blank(*names: str) -> str:
    """Return a file that registers strategies of some names, which compute nothing."""
    return HEAD + "\n".join(BLANK.format(name=name) for name in names)

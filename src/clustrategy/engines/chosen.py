"""A strategy as a config chooses it."""

from clustrategy.strategies import Strategy, registry

__all__ = ["Strategy", "registry"]

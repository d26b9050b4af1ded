"""Strategies on a table of one's own."""

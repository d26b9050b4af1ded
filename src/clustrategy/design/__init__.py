"""The design of an analysis: how it is read from a table."""

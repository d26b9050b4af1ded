"""The second worked example: regressions on a real table, with clusters and without."""

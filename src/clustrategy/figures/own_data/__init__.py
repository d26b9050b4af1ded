"""The figures of a table of one's own: a file each."""

"""The steps of a run, one file each: read files, call the library once, write files."""

"""The figures: a file each, the parts that they share, and the list of a study's.

A study's figures are listed in `registry`, which is cheap to import: the plotting libraries are
imported when a figure is drawn. The file of a figure has the figure's name.
"""

"""The data-generating process: datasets whose truth is known.

In each sim are drawn: population coefficients beta, from U(low, high) or given; the coefficients
of each cluster, b_g = beta + sigma_k z_gk; the sizes of the clusters; the predictors X; the errors
e; and DV = X b_g + e, of which some rows may be missing. `process` has the options, `draw` puts the
parts together, and each of the other modules is one part, but for `given`: it draws outcomes on a
design that is given, one's own.
"""

from clustrategy.dgp.draw import Simulation, simulate
from clustrategy.dgp.process import Coefficients, Process
from clustrategy.dgp.seeds import cell_key
from clustrategy.dgp.smallest import least_rows

__all__ = ["Coefficients", "Process", "Simulation", "cell_key", "least_rows", "simulate"]

"""How far an engine and a reference may be apart, for the audit and for the figures of it."""

CRITERION = 1e-6
"""A REML criterion above the least of all engines: beyond, the optimum was not reached."""

ROUNDING = 1e-9
"""The same: two that differ by no more are equally good, as no engine computes it more exactly."""

SHORT = 1e-4
"""The same, beyond what the reference's own optimiser tolerates: it stopped short."""

ESTIMATE = 1e-5
"""Estimates, in units of themselves or of their standard error, whichever is larger."""

STD_ERROR = 1e-4
"""Standard errors, relative."""

DF = 1e-2
"""Degrees of freedom, relative: lmerTest differentiates numerically."""

LEAST_SQUARES = 1e-10
"""All three, of least squares."""

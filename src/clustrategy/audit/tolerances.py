"""How far an engine and a reference may be apart."""

CRITERION = 1e-6
"""A REML criterion above the least of all engines by more did not reach the optimum."""

EQUALLY_GOOD = 1e-9
"""Two REML criteria that differ by no more: no engine computes them more exactly."""

SHORT = 1e-4
"""A reference's REML criterion above the least by more stopped short: its own optimizer does not
tolerate as much."""

ESTIMATE = 1e-5
"""Estimates of mixed models, in the units of `distance`."""

STD_ERROR = 1e-4
"""Standard errors of mixed models, relative."""

DF = 1e-2
"""Degrees of freedom of mixed models, relative: lmerTest differentiates numerically."""

LEAST_SQUARES = 1e-10
"""Estimates, standard errors and degrees of freedom of least squares."""

VANISHING = 1e-2
"""A residual variance below this share of that of least squares is on its way to zero."""

"""The verdicts on an audited fit, and whose fault a difference is.

The reference is not the truth: lme4 stops short of the optimum at times, and lmerTest's numerical
derivatives give wrong degrees of freedom now and then. So a mixed model is compared with lme4 as
its users get it and with lme4 optimised without bounds, and each difference has a verdict:

agree
    Everything is within the tolerances.
reference_short
    The reference stopped short: its REML criterion is above the least of all engines by more than
    `SHORT`, or has no minimum because it falls for ever as the residual variance goes to zero.
reference_slack
    Its criterion is above the least by no more than `SHORT`, within its optimizer's own
    tolerance. If numbers are apart, theta is the reason: at the reference's own theta the
    engine's formulas give the reference's criterion, estimates and standard errors.
reference_df
    Everything agrees but the degrees of freedom, and exact derivatives at the reference's own
    theta show that the reference's are wrong.
reference_failed, both_failed
    The reference gave no numbers; neither gave a fit that it stands by.
engine_short
    The engine's criterion is above the least by more than `CRITERION`.
engine_failed
    The engine gave no numbers where the reference did.
differ
    Numbers are beyond the tolerances and the reference's theta does not explain it, or the
    engine's own theta, which is no better, does.
"""

from __future__ import annotations

REASONS = (
    "reference_slack",
    "reference_short",
    "reference_df",
    "reference_failed",
    "both_failed",
)
"""The verdicts on a difference that is not the engine's fault."""

FAULTS = ("engine_short", "engine_failed", "differ")
"""The verdicts by which the engine is at fault; a run ends with them."""

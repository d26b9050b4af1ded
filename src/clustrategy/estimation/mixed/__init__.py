"""Linear mixed models by REML, and their degrees of freedom and variances."""

"""What the study costs: measured side by side, in one run, as CPU seconds and ratios."""

"""Estimates held against the truth: measures, scores, and how many sims they take."""

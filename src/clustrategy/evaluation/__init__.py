"""Estimates compared with the truth: measures, scores, and how many sims they take."""

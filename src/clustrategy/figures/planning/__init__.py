"""Figures of a study yet to come."""

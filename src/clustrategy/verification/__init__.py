"""Studies whose answers are known."""

"""Studies whose answers are pages of the documentation."""

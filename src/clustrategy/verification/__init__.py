"""Studies whose answers are known, compared with what simulation finds."""

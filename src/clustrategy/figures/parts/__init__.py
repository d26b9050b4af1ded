"""What the figures are made of."""

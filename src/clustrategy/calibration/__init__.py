"""What is not known of one's own data, and how outcomes come about on its design if it is so."""

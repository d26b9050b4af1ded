"""What everything is made of: datasets and fits as arrays, tests, cells, errors."""

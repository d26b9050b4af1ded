"""Reading and writing tables: files that are whole or absent, and their columns."""

"""How far an engine and a reference agree, and whose fault a difference is."""

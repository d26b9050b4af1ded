"""The page of a study, to read and to print: the answer, the evidence, and why to believe it."""

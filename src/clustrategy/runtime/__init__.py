"""What surrounds a run: the lock, a job's log, progress, closing words, the command line."""

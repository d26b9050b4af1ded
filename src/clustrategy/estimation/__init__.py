"""The numerics that the strategies share, on whole shards."""

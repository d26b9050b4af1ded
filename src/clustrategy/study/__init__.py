"""From a config to a study: cells, blocks and seeds."""

"""How many clusters a study needs, by strategy: simulated designs of a study yet to come."""

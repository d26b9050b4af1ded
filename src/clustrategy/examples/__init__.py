"""Single datasets to look at, one made up and one of real students."""
